"""The `derender` command and its page: a picture in, something that one can edit out."""
