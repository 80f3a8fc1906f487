"""The structure of a grid of points: which settings are crossed, and which exist only within a value of another.

Every crossed setting, together with the settings nested in it, is one group; its levels are the combinations
that occur. A full grid has every combination of the levels of all groups once. On the levels of a group live
orthogonal projections: the mean, its first setting, and for each value of that, recursively, what is nested
there. A term of the decomposition is one projection per group, applied one after the other; as the grid is full
they commute, are orthogonal, and sum to the identity.

Where no such groups give a full grid (learning rates that differ between optimizers), one setting is taken as
the one that all others are nested in, if its parts are full grids: between its values, then within each. That is
exact for a grid of which points are missing too, but says less of it. A random sample has no structure; where it
seems to have one, that is chance: use `approximate`.
"""

import itertools
import typing

import numpy as np

SPLITS = 3  # settings inside each other that no group is found for


class NotFactorial(ValueError):
    """The points are no full grid, and no part of it."""


class Piece(typing.NamedTuple):
    """One orthogonal part of the functions over all points."""

    factors: tuple
    within: tuple
    freedom: int
    rows: np.ndarray       # points it is about
    shape: tuple           # their grid: levels of every group
    projections: tuple     # one matrix per group

    def effect(self, means):
        """The part of `means` (one per point) that belongs to the piece, 0 elsewhere."""
        grid = means[self.rows].reshape(self.shape)
        for axis, matrix in enumerate(self.projections):
            grid = np.moveaxis(np.tensordot(matrix, grid, axes=(1, axis)), 0, axis)
        out = np.zeros(len(means))
        out[self.rows] = grid.ravel()
        return out


class _Part(typing.NamedTuple):
    """One projection of one group."""

    factors: tuple
    within: tuple
    matrix: np.ndarray


def find_design(columns, count, parents):
    """(all pieces but the mean, settings that others are nested in for want of a full grid).

    columns: {name: value per point}, None where a point has no such setting."""
    return _pieces(columns, np.arange(count), parents, ())


def _pieces(columns, rows, parents, within):
    columns = _telling(columns, rows)
    if len(rows) < 2:
        return [], ()
    crossed = _crossed(columns, rows, _groups(columns, rows, parents), parents, within)
    if crossed is not None:
        return crossed, ()
    # Coarse settings first: a learning rate that occurs with one optimizer only also tells the optimizer.
    coarse = sorted(columns, key=lambda name: len({columns[name][row] for row in rows}))
    splits = [_split(columns, rows, name, parents, within) for name in coarse if len(within) < SPLITS]
    found = [split for split in splits if split is not None]
    if not found:
        raise NotFactorial("the points are no full grid over " + ", ".join(columns)
                           + "; an approximation is needed (`approximate`)")
    return min(found, key=lambda split: len(split[1]))


def _telling(columns, rows):
    """Without the settings that do not vary, or have one value and are there where another setting says so;
    settings that always change together are one, called "a & b"."""
    columns = {name: column for name, column in columns.items() if len({column[row] for row in rows}) > 1}
    for name in list(columns):
        one = len({columns[name][row] for row in rows} - {None}) < 2
        if one and any(_decides(other, columns[name], rows) for n, other in columns.items() if n != name):
            del columns[name]
    together = {}
    for name, column in columns.items():
        codes = {}
        pattern = tuple(codes.setdefault(column[row], len(codes)) for row in rows)
        same = (pattern, tuple(column[row] is None for row in rows))
        together.setdefault(same, []).append(name)
    for (pattern, _), names in together.items():
        if len(names) > 1 and len(set(pattern)) == len(rows) > 1:
            raise NotFactorial(f"every point has its own {' and '.join(names)}: a sample, and no grid")
    return {" & ".join(names): columns[names[0]] for names in together.values()}


def _split(columns, rows, name, parents, within):
    """The pieces between the values of one setting and within each, or None if those are no grids."""
    column = columns[name]
    values = list(dict.fromkeys(column[row] for row in rows))
    if len(values) < 2 or len(values) == len(rows) or None in values:
        return None
    blocks = [np.array([row for row in rows if column[row] == value]) for value in values]
    rest = {other: c for other, c in columns.items() if other != name}
    try:
        inner = [_pieces(rest, block, parents, within + ((name, value),)) for value, block in zip(values, blocks)]
    except NotFactorial:
        return None
    between = _between([[column[row] == value for row in rows] for value in values])
    pieces = [Piece((name,), within, len(values) - 1, rows, (len(rows),), (between,))]
    pieces += itertools.chain(*(part for part, _ in inner))
    return pieces, tuple(dict.fromkeys([name, *itertools.chain(*(names for _, names in inner))]))


def _groups(columns, rows, parents):
    """[(first setting, settings nested in it)]. A setting whose absence follows from no other is a first one, and
    its absence one of its values."""
    firsts = [name for name, c in columns.items() if all(c[row] is not None for row in rows)]
    root = {name: name for name in firsts}
    waiting = [name for name in columns if name not in root]
    while waiting:
        found = {name: parent for name in waiting if (parent := _parent(columns, rows, name, root, parents))}
        if not found:
            firsts.append(waiting[0])
            found = {waiting[0]: waiting[0]}
            root[waiting[0]] = waiting[0]
        for name, parent in found.items():
            root[name] = root[parent]
        waiting = [name for name in waiting if name not in root]
    return [(first, [name for name in columns if root[name] == first and name != first]) for first in firsts]


def _parent(columns, rows, name, known, parents):
    """The known setting whose value says whether the setting is there; the one its dotted name names, else
    the first."""
    if parents.get(name) in known:
        return parents[name]
    fitting = [other for other in known if other != name and _decides(columns[other], columns[name], rows)]
    owners = [other for other in fitting if name.startswith(other + ".")]
    return max(owners, key=len) if owners else fitting[0] if fitting else None


def _decides(parent, child, rows):
    there = {}
    for row in rows:
        there.setdefault(parent[row], set()).add(child[row] is not None)
    return all(len(both) == 1 for both in there.values())


def _crossed(columns, rows, groups, parents, within):
    """The pieces of a full grid over the groups, or None if it is none."""
    levels, places = [], []
    for first, nested in groups:
        tuples = [tuple(columns[name][row] for name in (first, *nested)) for row in rows]
        levels.append(list(dict.fromkeys(tuples)))
        index = {level: i for i, level in enumerate(levels[-1])}
        places.append([index[t] for t in tuples])
    shape = tuple(map(len, levels))
    cells = list(zip(*places))
    if len(rows) != int(np.prod(shape)) or len(set(cells)) != len(rows):
        return None
    order = np.argsort(np.ravel_multi_index(tuple(map(np.array, places)), shape))
    try:
        parts = [_parts((first, *nested), level, parents) for (first, nested), level in zip(groups, levels)]
    except NotFactorial:
        return None
    pieces = []
    for choice in itertools.product(*parts):
        factors = tuple(itertools.chain(*(part.factors for part in choice)))
        if factors:
            where = within + tuple(itertools.chain(*(part.within for part in choice)))
            freedom = int(np.prod([round(np.trace(part.matrix)) for part in choice]))
            pieces.append(Piece(factors, where, freedom, rows[order], shape, tuple(p.matrix for p in choice)))
    return pieces


def _parts(names, levels, parents):
    """The projections of one group: the mean, its first setting, and what is nested in each of its values."""
    count = len(levels)
    mean = _Part((), (), np.full((count, count), 1 / count))
    first = [level[0] for level in levels]
    values = list(dict.fromkeys(first))
    parts = [mean]
    if len(values) > 1:
        parts.append(_Part(names[:1], (), _between([[v == value for v in first] for value in values])))
    for value in values:
        rows = np.flatnonzero([v == value for v in first])
        columns = {name: [level[i] for level in levels] for i, name in enumerate(names)}
        del columns[names[0]]
        for piece in _pieces(columns, rows, parents, ((names[0], value),))[0]:
            matrix = np.stack([piece.effect(unit) for unit in np.eye(count)], axis=1)
            parts.append(_Part(piece.factors, piece.within, matrix))
    return parts


def _between(masks):
    """The projection on the means of disjoint parts, less the mean of all."""
    masks = np.array(masks, dtype=float)
    return (masks.T / masks.sum(axis=1)) @ masks - 1 / masks.shape[1]
