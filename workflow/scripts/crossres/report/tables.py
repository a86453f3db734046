"""Tables of words, as pages show them."""

from dataclasses import dataclass

import pandas as pd

from crossres.catalogue.methods import in_order, label_of
from crossres.measure.pairs import DISTANCE
from crossres.measure.registry import summary_columns


@dataclass(frozen=True)
class Table:
    """Rows of cells below headings; the first cell of a row says what the row is about.

    Parameters
    ----------
    headings
        One a column.
    rows
        One tuple of as many cells a row.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, table: pd.DataFrame) -> "Table":
        """Return the words of a data frame without its index; missing values are left empty."""
        cells = table.astype(object).where(table.notna(), "")
        rows = tuple(tuple(map(_word, row)) for row in cells.itertuples(index=False, name=None))
        return cls(tuple(map(str, table.columns)), rows)


def _word(cell: object) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def metrics_table(metrics: pd.DataFrame, resolved: pd.Series) -> Table:
    """Return mean ± standard deviation over the test fields, and over seeds.

    Parameters
    ----------
    metrics
        metrics.csv.
    resolved
        As of :func:`pairs_resolved`.
    """
    table = _cells(metrics)
    if len(resolved):
        table["close pairs resolved"] = resolved
    return _by_method(table)


def seeds_table(metrics: pd.DataFrame) -> Table | None:
    """Return, of networks trained with several seeds, mean ± standard deviation over the seeds.

    For each seed the mean over the test fields is taken first: what is left is what chance in
    training does. None where every network has one seed.

    Parameters
    ----------
    metrics
        metrics.csv.
    """
    means = metrics.groupby(["method", "seed", "metric"], as_index=False).value.mean()
    counts = means.groupby("method").seed.nunique()
    several = means[means.method.isin(counts[counts > 1].index)]
    if several.empty:
        return None
    table = _cells(several)
    table.insert(0, "seeds", counts)
    return _by_method(table)


def pairs_resolved(structures: pd.DataFrame) -> pd.Series:
    """Return, by method, how many of the close pairs that the target resolves it resolves too.

    Parameters
    ----------
    structures
        structures.csv.
    """
    pairs = structures[structures.metric == DISTANCE.name]
    if pairs.empty:
        return pd.Series(dtype=str)
    place = ["field", "structure"]
    by_target = pairs[(pairs.method == "target") & pairs.value.notna()][place]
    shown = pairs.merge(by_target, on=place).groupby("method").value
    return pd.Series(shown.agg(lambda values: f"{values.notna().sum()} of {len(values)}"))


def _cells(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return mean ± standard deviation in words, a row a method, a column a metric."""
    columns = {quantity.name: quantity.heading for quantity in summary_columns()}
    metrics = metrics[metrics.metric.isin(columns)]
    table = metrics.groupby(["method", "metric"]).value.apply(_mean_and_spread).unstack("metric")
    table = table.reindex(in_order(metrics.method))
    return table[[name for name in columns if name in table]].rename(columns=columns)


def _mean_and_spread(values: pd.Series) -> str:
    known = values[values.notna()]
    if not len(known):
        return "not measurable"
    spread = f" ± {known.std():.2g}" if len(known) > 1 else ""
    return f"{known.mean():.3g}{spread}"


def _by_method(table: pd.DataFrame) -> Table:
    named = table.rename(index=label_of)
    named.insert(0, "", named.index)
    return Table.of(named)
