"""Stand-in clip art for Abstract Scenes, drawn from simple shapes: the project ships no real picture."""

from .pictures import draw_clip_art
from .scenes import write_scenes_file


__all__ = ["draw_clip_art", "write_scenes_file"]
