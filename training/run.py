"""The folder of one training run: what it was made from, where it stands, what came of it.

``card.json``    recipe, vocabulary, split, and a fingerprint of the corpus
``state.npz``    the last whole epoch, to go on from
``best.weights.h5``  the weights with the best held-out loss
``history.csv`` and ``curves.png``  every epoch's figures; ``logs/`` the same for TensorBoard
"""

import csv
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lofid.errors import ConfigError, ModelError
from lofid.vocabulary import Vocabulary
from training.corpus import Corpus
from training.dataset import Split
from training.recipe import Recipe


@dataclass(frozen=True)
class Run:
    """A run's folder. Each file in it is replaced in one move, never half-written."""

    folder: Path

    @property
    def card_path(self) -> Path:
        """Where it is written what the run was made from."""
        return self.folder / "card.json"

    @property
    def state_path(self) -> Path:
        """Where the state of the last whole epoch is."""
        return self.folder / "state.npz"

    @property
    def weights_path(self) -> Path:
        """Where the best weights are."""
        return self.folder / "best.weights.h5"

    @property
    def corpus_path(self) -> Path:
        """Where the run keeps the corpus that it was made from."""
        return self.folder / "corpus.npz"

    @classmethod
    def begin(
        cls, folder: Path, recipe: Recipe, vocabulary: Vocabulary, corpus: Corpus, split: Split
    ) -> "Run":
        """Make the folder, or take up one that was made from the very same things.

        ConfigError when it holds another run or cannot be written.
        """
        run = cls(folder)
        card = {
            "recipe": recipe.model_dump(),
            "corpus": _fingerprint(corpus),
            "tokens": vocabulary.tokens,
            "rhythms": vocabulary.rhythms,
            "split": {
                part: [corpus.names[i] for i in numbers] for part, numbers in asdict(split).items()
            },
        }
        text = json.dumps(card, indent=1, sort_keys=True)
        path = run.card_path
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise ConfigError(
                f"{folder} holds a run of another recipe or corpus: give another folder"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _replace(path, text)
        except OSError as error:
            raise ConfigError(f"no run can be kept in {folder}: {error.strerror}") from None
        corpus.save(run.corpus_path)
        return run

    @classmethod
    def open(cls, folder: Path) -> "Run":
        """Open a run that has weights; ModelError if there is none."""
        run = cls(folder)
        if not (run.weights_path.exists() and run.card_path.exists()):
            raise ModelError(f"{folder} holds no trained run: make one by 'lofid-train fit'")
        return run

    def card(self) -> dict[str, Any]:
        """Read what the run was made from."""
        card: dict[str, Any] = json.loads(self.card_path.read_text(encoding="utf-8"))
        return card

    def corpus(self) -> Corpus:
        """Read the corpus of the run."""
        return Corpus.load(self.corpus_path)

    def recipe(self) -> Recipe:
        """Read the recipe of the run."""
        return Recipe.model_validate(self.card()["recipe"])

    def vocabulary(self) -> Vocabulary:
        """Read the vocabulary of the run."""
        card = self.card()
        return Vocabulary(card["tokens"], [(step, length) for step, length in card["rhythms"]])

    def history(self) -> list[dict[str, str]]:
        """Read every epoch's figures."""
        with (self.folder / "history.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def save_weights(self, model: Any) -> None:
        """Keep these weights as the best."""
        partial = self.folder / "partial.weights.h5"
        model.save_weights(partial)
        os.replace(partial, self.weights_path)

    def log(self, history: list[dict[str, float]]) -> None:
        """Write the history so far as CSV, and its last row for TensorBoard."""
        rows = [",".join(history[0])]
        rows += [",".join(f"{value:.6g}" for value in row.values()) for row in history]
        _replace(self.folder / "history.csv", "\n".join(rows) + "\n")
        self._log_tensorboard(history[-1])

    def _log_tensorboard(self, row: dict[str, float]) -> None:
        import tensorflow as tf  # noqa: PLC0415  # seconds to import, and only needed here

        writer = tf.summary.create_file_writer(str(self.folder / "logs"))
        with writer.as_default(step=int(row["epoch"])):
            for name, value in row.items():
                if name != "epoch":
                    tf.summary.scalar(name, value)
        writer.close()

    def draw_curves(self, history: list[dict[str, float]]) -> None:
        """Draw loss and held-out loss, in nats an event, over the epochs."""
        from matplotlib.figure import Figure  # noqa: PLC0415  # only at the end of a run

        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.add_subplot(xlabel="epoch", ylabel="nats per event", title="training")
        for name in history[0]:
            if name != "epoch":
                axes.plot([r["epoch"] for r in history], [r[name] for r in history], label=name)
        axes.grid(alpha=0.3)
        axes.legend()
        partial = self.folder / "curves.partial.png"
        figure.savefig(partial, dpi=100)
        os.replace(partial, self.folder / "curves.png")


def _fingerprint(corpus: Corpus) -> str:
    digest = hashlib.sha256("\n".join(corpus.hashes).encode())
    for array in (corpus.token, corpus.onset, corpus.length, corpus.velocity):
        digest.update(array.tobytes())
    return digest.hexdigest()


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
