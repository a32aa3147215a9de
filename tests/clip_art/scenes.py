"""A file of random plausible scenes of the clip art, in the original format."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from random import Random

from PIL import Image

from datasets_scripts.abstract_scenes.language import SCALES, TYPES, WIDTH, picture_name

from . import children


SKY, LARGE, BOY, GIRL, ANIMAL, CLOTHING, FOOD, TOY = range(len(TYPES))
_GLASSES = (8, 9)
_IN_THE_AIR = ((TOY, 9), (TOY, 13))  # balloons and kite
_GROUND = ((318, 388), (262, 296), (212, 232))  # where the feet are, by depth
_SCENES_A_SENTENCE = 10

Row = tuple[str, int, int, int, int, int, int]


def write_scenes_file(folder: str | Path, scenes: int, seed: int = 0, empty: Collection[int] = ()) -> Path:
    """Writes FOLDER/Scenes_10020.txt, scenes 0, 1, ... of three to twelve objects, and returns its path.

    The scenes whose numbers are in `empty` have no object. The pictures must have been drawn into the folder: their
    sizes say where to put them.
    """
    folder = Path(folder)
    lines = [str(scenes)]
    for number in range(scenes):
        rows = [] if number in empty else _Scene(folder / "Pngs", Random(f"{seed} {number}")).rows()
        lines.append(f"{number // _SCENES_A_SENTENCE}\t{len(rows)}")
        lines += ["\t".join(map(str, row)) for row in rows]
    path = folder / "Scenes_10020.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


class _Scene:
    """One scene in the making: what stands on the grass takes turns at evenly spread places."""

    def __init__(self, pngs: Path, random: Random):
        self._pngs, self._random = pngs, random

    def rows(self) -> list[Row]:
        """The scene's lines: picture, type, object, x, y, depth, flip."""
        random = self._random
        chosen = random.choice(((BOY, GIRL), (BOY, GIRL), (BOY, GIRL), (BOY,), (GIRL,)))
        things = [*self._pick(LARGE, (0, 1, 1, 2)), *self._pick(ANIMAL, (0, 1)), *self._pick(FOOD, (0, 0, 1))]
        things += [*self._pick(TOY, (1, 1, 2)), *((child, random.randrange(TYPES[child][3])) for child in chosen)]
        places = [round((step + 0.5) * WIDTH / len(things)) for step in range(len(things))]
        random.shuffle(places)
        grounded = [self._stand(kind, number, x) for (kind, number), x in zip(things, places, strict=True)]
        worn = zip(self._pick(CLOTHING, (0, 1, 1, 2)), grounded[-len(chosen) :], strict=False)
        above = [
            self._float(number, x)
            for (_, number), x in zip(self._pick(SKY, (1, 1, 2)), random.sample((90, 250, 410), 3), strict=False)
        ]
        return sorted([*above, *grounded, *(self._wear(number, child) for (_, number), child in worn)], key=_order)

    def _pick(self, kind: int, counts: tuple[int, ...]) -> list[tuple[int, int]]:
        chosen = self._random.sample(range(TYPES[kind][3]), self._random.choice(counts))
        return [(kind, number) for number in chosen]

    def _stand(self, kind: int, number: int, place: int) -> Row:
        random = self._random
        depth = random.choice((0, 1, 1, 2) if kind == LARGE else (0, 0, 1))
        width, height = (SCALES[depth] * side for side in self._size(kind, number))
        bottom = random.randint(225, 260) if (kind, number) in _IN_THE_AIR else random.randint(*_GROUND[depth])
        margin = min(round(width * 0.4), WIDTH // 2)
        x = min(max(place + random.randint(-18, 18), margin), WIDTH - margin)
        return self._row(kind, number, x, bottom - height / 2, depth)

    def _float(self, number: int, place: int) -> Row:
        random = self._random
        depth = random.choice((0, 1, 1, 2))
        top = random.randint(6, 40)
        return self._row(
            SKY, number, place + random.randint(-40, 40), top + SCALES[depth] * self._size(SKY, number)[1] / 2, depth
        )

    def _wear(self, number: int, child: Row) -> Row:
        _, kind, pose, x, y, depth, flip = child
        right, down = children.head_offset(children.GIRL if kind == GIRL else children.BOY, pose)
        if number in _GLASSES:
            right, down = right + 3, down + 3
        else:
            down -= 12 + self._size(CLOTHING, number)[1] / 2
        x += SCALES[depth] * (-right if flip else right)
        return (*self._row(CLOTHING, number, x, y + SCALES[depth] * down, depth)[:-1], flip)

    def _row(self, kind: int, number: int, x: float, y: float, depth: int) -> Row:
        return self._name(kind, number), kind, number, round(x), round(y), depth, self._random.randrange(2)

    def _size(self, kind: int, number: int) -> tuple[int, int]:
        with Image.open(self._pngs / self._name(kind, number)) as image:
            return image.size

    def _name(self, kind: int, number: int) -> str:
        return f"{picture_name(TYPES[kind][2], number)}s.png"


def _order(row: Row) -> tuple[int, int]:
    return row[1], row[2]
