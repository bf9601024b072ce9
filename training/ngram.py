"""The rival: an interpolated n-gram model with Witten-Bell smoothing.

Ian Witten and Timothy Bell, "The zero-frequency problem", IEEE Transactions on Information Theory
37(4), 1991, method C, interpolated down to a uniform distribution.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

Ids = Sequence[int]


class NGram:
    """Counts of every order up to ``order`` (an n-gram of order 3 looks back two symbols)."""

    def __init__(self, order: int, symbols: int):
        self._order = order
        self._uniform = 1 / symbols
        self._counts: dict[tuple[int, ...], dict[int, int]] = defaultdict(dict)
        self._totals: dict[tuple[int, ...], int] = defaultdict(int)
        self._best: dict[tuple[int, ...], int] = {}

    def learn(self, sequence: Ids) -> None:
        """Count one piece; its first symbol is *start* and only looked back at."""
        self._best.clear()
        for i in range(1, len(sequence)):
            for back in range(min(self._order, i + 1)):
                history = tuple(sequence[i - back : i])
                followers = self._counts[history]
                followers[sequence[i]] = followers.get(sequence[i], 0) + 1
                self._totals[history] += 1

    def of_order(self, order: int) -> "NGram":
        """Give the model of a lower order, which needs no counts but these."""
        lower = NGram(order, 1)
        lower._uniform, lower._counts, lower._totals = self._uniform, self._counts, self._totals
        return lower

    def probability(self, symbol: int, before: Ids) -> float:
        """P(symbol | what came before): above zero for every symbol; sums to one over them."""
        return self.probabilities(symbol, before)[-1]

    def probabilities(self, symbol: int, before: Ids) -> list[float]:
        """Give the same of every order from 1 up: each is the next one's estimate."""
        estimates, estimate = [], self._uniform
        for back in range(min(self._order, len(before) + 1)):
            history = tuple(before[len(before) - back :])
            followers = self._counts.get(history)
            if followers is None:
                break
            novel = len(followers)
            seen = followers.get(symbol, 0)
            estimate = (seen + novel * estimate) / (self._totals[history] + novel)
            estimates.append(estimate)
        # A history that is too long, or was never heard, adds nothing to a shorter one.
        return estimates + [estimate] * (self._order - len(estimates))

    def nats(self, sequences: Iterable[Ids]) -> float:
        """Mean negative log-likelihood of every symbol but the first of each sequence."""
        return self.nats_by_order(sequences)[-1]

    def nats_by_order(self, sequences: Iterable[Ids]) -> list[float]:
        """Give the same of every order from 1 up."""
        totals, count = [0.0] * self._order, 0
        for sequence in sequences:
            for i in range(1, len(sequence)):
                before = sequence[max(0, i - self._order + 1) : i]
                for place, chance in enumerate(self.probabilities(sequence[i], before)):
                    totals[place] -= math.log(chance)
                count += 1
        return [total / count for total in totals]

    def top1(self, sequences: Iterable[Ids]) -> float:
        """Tell how often the likeliest symbol is the right one."""
        right, count = 0, 0
        for sequence in sequences:
            for i in range(1, len(sequence)):
                before = sequence[max(0, i - self._order + 1) : i]
                right += self._likeliest(before) == sequence[i]
                count += 1
        return right / count

    def _likeliest(self, before: Ids) -> int:
        """Find the likeliest symbol; the lowest of equals.

        It followed this history, or else it is the likeliest after the shorter one: symbols that
        did not follow keep that one's order among themselves.
        """
        history = tuple(before[max(0, len(before) - self._order + 1) :])
        if history not in self._best:
            candidates = list(self._counts.get(history, ()))
            if history:
                candidates.append(self._likeliest(history[1:]))
            self._best[history] = max(
                candidates, key=lambda s: (self.probability(s, history), -s), default=0
            )
        return self._best[history]
