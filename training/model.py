"""The networks, in Keras: what is trained, and the same layers with explicit state for export.

The *trunk* reads events and gives the next token's logits and a feature vector; the *heads* give
rhythm and velocity from the features and the token that was chosen. In training both are one
model whose chosen token is the target (teacher forcing); in the exported graph they are called
one after the other.
"""

from typing import Any

import keras
from keras import layers, ops

from training.prepared import Sizes
from training.recipe import Model

Tensor = Any
INPUTS = ("token", "rhythm", "velocity", "phase")
PHASES = 48


class Stacked:
    """The stacked LSTM: embeddings, layers with dropout between them, three heads."""

    inputs = INPUTS

    def __init__(self, recipe: Model, sizes: Sizes, *, portable: bool = False):
        self.recipe, self.sizes = recipe, sizes
        self.embeddings = {
            "token": layers.Embedding(sizes.tokens, recipe.token_embedding, name="token_in"),
            "rhythm": layers.Embedding(sizes.rhythms, recipe.rhythm_embedding, name="rhythm_in"),
            "velocity": layers.Embedding(
                sizes.velocities, recipe.velocity_embedding, name="velocity_in"
            ),
            "phase": layers.Embedding(PHASES, recipe.phase_embedding, name="phase_in"),
        }
        self.lstms = _lstms(recipe, portable=portable)
        first = recipe.dropout if recipe.input_dropout is None else recipe.input_dropout
        self.drops = [layers.Dropout(rate) for rate in (first, *[recipe.dropout] * recipe.layers)]
        self.token_head = layers.Dense(sizes.tokens, name="token_head")
        self.rhythm_hidden = layers.Dense(recipe.head_units, "relu", name="rhythm_hidden")
        self.rhythm_head = layers.Dense(sizes.rhythms, name="rhythm_head")
        self.velocity_hidden = layers.Dense(recipe.head_units, "relu", name="velocity_hidden")
        self.velocity_head = layers.Dense(sizes.velocities, name="velocity_head")

    @property
    def feature_units(self) -> int:
        """The width of the features that the heads read."""
        recipe = self.recipe
        embedded = recipe.token_embedding + recipe.rhythm_embedding
        return recipe.units + embedded + recipe.velocity_embedding + recipe.phase_embedding

    def trunk(self, ids: dict[str, Tensor], state: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Ids [batch, time] and state [2 layers, batch, units] to (features, logits, new state)."""
        every = [self.embeddings[name](ids[name]) for name in INPUTS]
        embedded = self.drops[0](ops.concatenate(every, axis=-1))
        x, new_state = _run(self.lstms, self.drops[1:], embedded, state)
        # The newest event also goes round the LSTMs: what follows it directly, and where in the
        # bar, need not come through three layers with dropout (docs/decisions.md).
        features = ops.concatenate([x, embedded], axis=-1)
        return features, self.token_head(features), new_state

    def heads(self, features: Tensor, token: Tensor, rhythm: Tensor) -> tuple[Tensor, Tensor]:
        """Rhythm logits given the token; velocity logits given the token and the rhythm."""
        chosen = ops.concatenate([features, self.embeddings["token"](token)], axis=-1)
        rhythm_logits = self.rhythm_head(self.rhythm_hidden(chosen))
        chosen = ops.concatenate([chosen, self.embeddings["rhythm"](rhythm)], axis=-1)
        return rhythm_logits, self.velocity_head(self.velocity_hidden(chosen))

    def trainable(self, length: int) -> keras.Model:
        """Give the model to fit: a dict of ids [batch, length] to logits for every position."""
        names = (*INPUTS, "next_token", "next_rhythm")
        ids = {name: keras.Input((length,), dtype="int32", name=name) for name in names}
        features, token, _ = self.trunk(ids, None)
        rhythm, velocity = self.heads(features, ids["next_token"], ids["next_rhythm"])
        return keras.Model(ids, {"token": token, "rhythm": rhythm, "velocity": velocity})


class Classic:
    """The classic network: one number in, three LSTMs, one target a sequence (see its recipe)."""

    inputs = ("token",)

    def __init__(self, recipe: Model, sizes: Sizes, *, portable: bool = False):
        self.recipe, self.sizes = recipe, sizes
        self.lstms = _lstms(recipe, portable=portable)
        self.norms = [layers.BatchNormalization(), layers.BatchNormalization()]
        self.drops = [layers.Dropout(recipe.dropout), layers.Dropout(recipe.dropout)]
        self.dense = layers.Dense(recipe.head_units, "relu", name="dense")
        self.token_head = layers.Dense(sizes.tokens, name="token_head")

    def trunk(self, ids: dict[str, Tensor], state: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """As :meth:`Stacked.trunk`; what follows the last LSTM is applied at every position."""
        x = ops.expand_dims(ops.cast(ids["token"], "float32") / self.sizes.tokens, -1)
        x, new_state = _run(self.lstms, [None] * len(self.lstms), x, state)
        return x, self._after(x), new_state

    def _after(self, x: Tensor) -> Tensor:
        x = self.dense(self.drops[0](self.norms[0](x)))
        return self.token_head(self.drops[1](self.norms[1](x)))

    def trainable(self, length: int) -> keras.Model:
        """Give the model to fit: ids [batch, length] to logits of the one token that follows."""
        ids = {"token": keras.Input((length,), dtype="int32", name="token")}
        x = ops.expand_dims(ops.cast(ids["token"], "float32") / self.sizes.tokens, -1)
        x, _ = _run(self.lstms, [None] * len(self.lstms), x, None)
        # With a time axis of one, as in the trunk: normalisation insists on the same axes.
        return keras.Model(ids, {"token": self._after(x[:, -1:])[:, 0]})


Network = Stacked | Classic


def network(recipe: Model, sizes: Sizes, *, portable: bool = False) -> Network:
    """Make the network that a recipe names, with fresh weights.

    A ``portable`` one never uses a GPU's fused LSTM, which ONNX does not know.
    """
    make = Stacked if recipe.kind == "stacked" else Classic
    return make(recipe, sizes, portable=portable)


def _lstms(recipe: Model, *, portable: bool) -> list[layers.LSTM]:
    return [
        layers.LSTM(
            recipe.units,
            return_sequences=True,
            return_state=True,
            recurrent_dropout=recipe.recurrent_dropout,
            use_cudnn=False if portable else "auto",
            name=f"lstm_{i + 1}",
        )
        for i in range(recipe.layers)
    ]


def _run(
    lstms: list[layers.LSTM], drops: list[layers.Dropout | None], x: Tensor, state: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Run the layers; ``state`` is [hidden 1, cell 1, hidden 2, cell 2, …] on its first axis."""
    states: list[Tensor] = []
    for i, (lstm, drop) in enumerate(zip(lstms, drops, strict=True)):
        initial = None if state is None else [state[2 * i], state[2 * i + 1]]
        x, hidden, cell = lstm(x, initial_state=initial)
        states += [hidden, cell]
        x = x if drop is None else drop(x)
    return x, ops.stack(states)
