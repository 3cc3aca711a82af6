"""Training on a tiny encoder: repeatable, resumable, and it learns."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from huaxiang.core.errors import InvalidConversation, ModelCorrupt
from huaxiang.core.types import Role, Turn
from huaxiang.nlp import cross_validation, ngram_training, training_run
from huaxiang.nlp.cross_validation import OutOfFold, fitted_by_fold, honest_labels
from huaxiang.nlp.folds import folds_of
from huaxiang.nlp.honest import recognition_cost
from huaxiang.nlp.model_classifier import ModelClassifier, build_network
from huaxiang.nlp.network import NetworkShape, TurnNetwork
from huaxiang.nlp.ngram_training import NgramRows, fit_ngrams
from huaxiang.nlp.ngrams import NgramModel
from huaxiang.nlp.noise import NoiseLevel
from huaxiang.nlp.training import Example, TrainingPlan, train
from huaxiang.nlp.training_run import TrainingData, read_training_data, train_nlp
from huaxiang.nlp.versions import HEARD, TYPED
from huaxiang.nlp.weights import load_weights

AGENT_LINES = {"您好请问是王总吗": ["greeting"], "这款一年三千块": ["quote"], "好的再见": ["farewell"]}
CUSTOMER_LINES: dict[str, dict[str, Any]] = {
    "那多少钱一年": {"intents": ["inquire_price"]},
    "太贵了吧": {"objection": "price", "sentiment": "negative"},
    "行那就周四": {"intents": ["agree_next_step"], "sentiment": "positive"},
}
PLAN = TrainingPlan(
    shape=NetworkShape(frozen_layers=1, rank=0, width=16, turn_layers=1, dropout=0.1),
    head_epochs=2,
    adapter_epochs=0,
    batch_windows=4,
    copies=(NoiseLevel(),),
)


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BertModel of two narrow layers with random weights, and a tokenizer of characters."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoder")
    characters = sorted({c for line in (*AGENT_LINES, *CUSTOMER_LINES) for c in line})
    vocabulary = {name: place for place, name in enumerate(["<s>", "<pad>", "</s>", "<unk>", *characters])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Split(Regex("."), behavior="isolated")
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=512, pad_token_id=1,
    )  # fmt: skip
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    path = tmp_path_factory.mktemp("corpus") / "calls.jsonl"
    documents = [_document(number) for number in range(20)]
    path.write_text("\n".join(json.dumps(document, ensure_ascii=False) for document in documents), "utf-8")
    return read_training_data([path])


def _document(number: int) -> dict[str, Any]:
    turns: list[dict[str, Any]] = []
    for (line, acts), (answer, labels) in zip(AGENT_LINES.items(), CUSTOMER_LINES.items(), strict=True):
        turns += [
            {"role": "agent", "text": line, "acts": acts},
            {"role": "customer", "text": answer} | labels,
        ]
    return {"id": f"{'ab'[number % 2]}-{number:03d}", "turns": turns}


def _train(
    data: TrainingData, encoder: Path, target: Path, plan: TrainingPlan, work: Path | None = None
) -> Path:
    return train_nlp(data, encoder, target, plan, lambda what, done, total: None, work, threads=1).path


def test_the_same_plan_and_data_give_the_same_bytes(
    data: TrainingData, encoder_folder: Path, tmp_path: Path
) -> None:
    first = _train(data, encoder_folder, tmp_path / "a", PLAN)
    second = _train(data, encoder_folder, tmp_path / "b", PLAN)
    assert first.read_bytes() == second.read_bytes()
    other = _train(data, encoder_folder, tmp_path / "c", replace(PLAN, seed=4))
    assert other.read_bytes() != first.read_bytes()


@pytest.mark.parametrize("adapter_epochs", [0, 2])
def test_an_interrupted_run_ends_in_the_same_bytes(
    data: TrainingData, encoder_folder: Path, tmp_path: Path, adapter_epochs: int
) -> None:
    plan = replace(
        PLAN, adapter_epochs=adapter_epochs, shape=replace(PLAN.shape, rank=2 * bool(adapter_epochs))
    )
    whole = _train(data, encoder_folder, tmp_path / "whole", plan)

    class Killed(Exception):
        pass

    stops = iter([3, 8])
    for stop in stops:
        done: list[str] = []

        def interrupt(what: str, _done: int, _total: int, done: list[str] = done, stop: int = stop) -> None:
            done.append(what)
            if sum("training" in name for name in done) == stop:
                raise Killed

        with pytest.raises(Killed):
            train_nlp(data, encoder_folder, tmp_path / "cut", plan, interrupt, tmp_path / "work", threads=1)
    resumed = _train(data, encoder_folder, tmp_path / "cut", plan, tmp_path / "work")
    assert resumed.read_bytes() == whole.read_bytes()


def test_what_was_trained_on_is_recognised(data: TrainingData, encoder_folder: Path, tmp_path: Path) -> None:
    plan = replace(PLAN, head_epochs=25, head_rate=6e-3, copies=())
    path = _train(data, encoder_folder, tmp_path, plan)
    assert load_weights(path).made_from == data.sums
    classifier = ModelClassifier(encoder_folder, path, "tiny @ 1")
    turns = data.conversations[0].transcript.turns
    for turn, truth, labels in zip(
        turns, data.conversations[0].labels.turns, classifier.classify(turns), strict=True
    ):
        assert set(labels.chosen_intents()) == truth.intents, turn.index
        assert set(labels.chosen_acts()) == truth.acts, turn.index
        assert labels.chosen_objection() == truth.objection, turn.index
        assert labels.chosen_sentiment() == truth.sentiment, turn.index


def test_turns_of_unknown_role_are_told_apart_by_their_words(
    data: TrainingData, encoder_folder: Path, tmp_path: Path
) -> None:
    plan = replace(PLAN, head_epochs=25, head_rate=6e-3, hidden_windows=0.5, copies=())
    classifier = ModelClassifier(encoder_folder, _train(data, encoder_folder, tmp_path, plan), "tiny @ 1")
    turns = data.conversations[0].transcript.turns
    unknown = [replace(turn, role=Role.UNKNOWN, role_confidence=0.5) for turn in turns]
    for turn, labels in zip(turns, classifier.classify(unknown), strict=True):
        assert 0.0 < labels.customer_probability < 1.0
        assert (labels.customer_probability > 0.5) == (turn.role is Role.CUSTOMER), turn.index


def test_a_turn_longer_than_the_encoder_is_read_in_pieces(
    data: TrainingData, encoder_folder: Path, tmp_path: Path
) -> None:
    classifier = ModelClassifier(encoder_folder, _train(data, encoder_folder, tmp_path, PLAN), "tiny @ 1")
    text = "这款一年三千块" * 200
    (labels,) = classifier.classify([Turn(0, Role.AGENT, 0, 0, text)])
    assert len(labels.acts) == 18
    assert all(0 <= score.char_start < score.char_end <= len(text) for score in labels.acts)


def test_no_turns_have_no_labels(data: TrainingData, encoder_folder: Path, tmp_path: Path) -> None:
    classifier = ModelClassifier(encoder_folder, _train(data, encoder_folder, tmp_path, PLAN), "tiny @ 1")
    assert classifier.classify([]) == []


def test_every_fold_has_its_share_of_each_kind(data: TrainingData) -> None:
    folds = folds_of(data.conversations)
    for kind in "ab":
        own = [fold for fold, item in zip(folds, data.conversations, strict=True) if item.id.startswith(kind)]
        assert np.bincount(own, minlength=5).tolist() == [2, 2, 2, 2, 2]


def test_out_of_fold_labels_cover_every_turn(
    data: TrainingData, encoder_folder: Path, tmp_path: Path
) -> None:
    trained = train_nlp(data, encoder_folder, tmp_path, PLAN, lambda what, done, total: None, threads=1)
    typed = trained.out_of_fold[TYPED]
    turns = [turn for item in data.conversations for turn in item.transcript.turns]
    labels = honest_labels(fitted_by_fold(typed), typed, turns)
    assert len(labels) == len(turns)
    for turn, own in zip(turns, labels, strict=True):
        assert own.customer_probability == float(turn.role is Role.CUSTOMER)
    assert set(trained.out_of_fold) == {TYPED}


def test_merged_adapters_do_what_they_did_apart(encoder_folder: Path) -> None:
    network = build_network(encoder_folder, NetworkShape(frozen_layers=1, rank=2, width=16, turn_layers=1))
    network.encoder.float()
    source = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if name.endswith(".up"):
                value.copy_(torch.randn(value.shape, generator=source) / 10)
    states, mask = torch.randn(2, 7, 32, generator=source), torch.ones(2, 7, dtype=torch.bool)
    with torch.inference_mode():
        apart = network.upper(states, mask)
    network.merge_adapters()
    with torch.inference_mode():
        merged = network.upper(states, mask)
    assert torch.allclose(apart, merged, atol=1e-5)
    assert not any(name.endswith(".up") for name, _ in network.named_parameters())


def _heard(data: TrainingData, *numbers: int, losing: int = 0) -> TrainingData:
    """Return the data with some conversations heard as they were typed, but for their last turns."""
    heard = {}
    for item in (data.conversations[number] for number in numbers):
        pairs = list(zip(item.transcript.turns, item.labels.turns, strict=True))
        heard[item.id] = pairs[: len(pairs) - losing]
    return data.with_heard(heard, {"call.wav": "0" * 64})


def _cost(data: TrainingData, found: Mapping[int, OutOfFold]) -> dict[str, Any]:
    typed = found[TYPED]
    same = typed.rows(np.isin(typed.conversation, found[HEARD].conversation))
    return recognition_cost(data, fitted_by_fold(typed), same, found[HEARD])


def test_what_was_heard_is_learned_from_and_judged_out_of_fold(
    data: TrainingData, encoder_folder: Path, tmp_path: Path
) -> None:
    heard = _heard(data, 0, 3, losing=1)
    trained = train_nlp(
        heard, encoder_folder, tmp_path / "a", PLAN, lambda what, done, total: None, threads=1
    )
    judged = trained.out_of_fold[HEARD]
    assert np.unique(judged.conversation).tolist() == [0, 3]
    assert len(judged.fold) == 2 * (len(data.conversations[0].transcript.turns) - 1)
    assert load_weights(trained.path).made_from == data.sums | {"call.wav": "0" * 64}
    without = _train(data, encoder_folder, tmp_path / "b", PLAN)
    assert trained.path.read_bytes() != without.read_bytes()


def test_a_call_that_is_heard_as_it_was_typed_loses_nothing(
    data: TrainingData, encoder_folder: Path, tmp_path: Path
) -> None:
    heard = _heard(data, 1, 2, 7)
    plan = replace(PLAN, head_epochs=12, head_rate=6e-3, copies=())
    trained = train_nlp(heard, encoder_folder, tmp_path, plan, lambda what, done, total: None, threads=1)
    cost = _cost(heard, trained.out_of_fold)
    assert cost["calls"] == 3
    assert cost["typed"]["acts"]["micro_f1"] > 0.5
    assert cost["heard"] == cost["typed"]
    assert set(cost["loss"].values()) == {0.0}


def test_another_hearing_of_the_same_recordings_takes_up_no_checkpoint_of_the_first(
    data: TrainingData, encoder_folder: Path, tmp_path: Path
) -> None:
    for heard in (_heard(data, 0), _heard(data, 0, losing=1)):
        _train(heard, encoder_folder, tmp_path / "out", PLAN, tmp_path / "work")
    assert len(list((tmp_path / "work").iterdir())) == 2


def test_a_heard_call_of_no_known_conversation_or_with_other_labels_is_refused(data: TrainingData) -> None:
    first = data.conversations[0]
    data.refuse_strangers({first.id: first.labels.turns})
    with pytest.raises(InvalidConversation, match="strange-001 was heard"):
        data.refuse_strangers({"strange-001": []})
    with pytest.raises(InvalidConversation, match="is labelled otherwise beside its recording"):
        data.refuse_strangers({first.id: first.labels.turns[:-1]})


def test_weights_that_are_something_else_are_refused(encoder_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"nonsense")
    with pytest.raises(ModelCorrupt, match=r"weights\.safetensors is no file of trained weights"):
        ModelClassifier(encoder_folder, path, "tiny @ 1")


def _written(path: Path, *documents: dict[str, Any]) -> Path:
    path.write_text("\n".join(json.dumps(document, ensure_ascii=False) for document in documents), "utf-8")
    return path


def _with_more(folder: Path, own: Path) -> TrainingData:
    turns = [{"role": "customer", "text": line} | labels for line, labels in CUSTOMER_LINES.items()]
    more = _written(folder / "more.jsonl", *({"id": f"x-{number}", "turns": turns} for number in range(4)))
    return read_training_data([own], [more])


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return _written(tmp_path / "own.jsonl", *(_document(number) for number in range(20)))


def test_conversations_beside_are_learned_from_in_every_fold_and_judged_in_none(
    own: Path, encoder_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = _with_more(tmp_path, own)
    by_networks: list[set[int]] = []
    by_wording: list[set[int]] = []

    def recorded(network: TurnNetwork, examples: Sequence[Example], *rest: Any) -> None:
        by_networks.append({example.conversation for example in examples})
        train(network, examples, *rest)

    def fitted(
        rows: NgramRows, chosen: NDArray[np.bool_], progress: Callable[[int, int], None]
    ) -> NgramModel:
        by_wording.append(set(rows.conversation[chosen].tolist()))
        return fit_ngrams(rows, chosen, progress)

    for module in (cross_validation, training_run):
        monkeypatch.setattr(module, "train", recorded)
    for module in (ngram_training, training_run):
        monkeypatch.setattr(module, "fit_ngrams", fitted)
    trained = train_nlp(data, encoder_folder, tmp_path, PLAN, lambda what, done, total: None, threads=1)
    judged, beside = trained.out_of_fold[TYPED], set(range(20, 24))
    folds = [{number for number in range(20) if data.folds()[number] != fold} | beside for fold in range(5)]
    assert by_networks == by_wording == [*folds, set(range(24))]
    assert np.unique(judged.conversation).tolist() == list(range(20))
    assert len(judged.wording.role) == len(judged.network.role) == len(judged.fold)
    assert set(load_weights(trained.path).made_from) == {"own.jsonl", "more.jsonl"}


def test_what_stands_beside_takes_up_no_checkpoint_of_the_corpus_alone(
    own: Path, encoder_folder: Path, tmp_path: Path
) -> None:
    for data in (read_training_data([own]), _with_more(tmp_path, own)):
        _train(data, encoder_folder, tmp_path / "out", PLAN, tmp_path / "work")
    assert len(list((tmp_path / "work").iterdir())) == 2


def test_the_same_files_in_another_order_take_up_no_checkpoint(encoder_folder: Path, tmp_path: Path) -> None:
    files = [
        _written(
            tmp_path / f"{name}.jsonl",
            *({"id": f"{name}-{n}", "turns": _document(n)["turns"]} for n in range(10)),
        )
        for name in ("a", "b")
    ]
    for order in (files, files[::-1]):
        _train(read_training_data(order), encoder_folder, tmp_path / "out", PLAN, tmp_path / "work")
    assert len(list((tmp_path / "work").iterdir())) == 2


def test_two_files_of_one_name_are_refused(own: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    turns = _document(1)["turns"]
    other = _written(tmp_path / "other" / own.name, {"id": "x-1", "turns": turns})
    with pytest.raises(InvalidConversation, match=r"two files are called own\.jsonl"):
        read_training_data([own], [other])


def test_many_conversations_are_read_fewer_times_than_few() -> None:
    few, many = TrainingPlan.suited(350), TrainingPlan.suited(1149)
    assert (few.head_epochs, few.adapter_epochs) == (12, 4)
    assert (many.head_epochs, many.adapter_epochs) == (5, 1)
    most = TrainingPlan.suited(100_000)
    assert (most.head_epochs, most.adapter_epochs) == (1, 1)


def test_a_conversation_that_stands_twice_is_refused(own: Path, tmp_path: Path) -> None:
    again = _written(tmp_path / "again.jsonl", _document(3))
    with pytest.raises(InvalidConversation, match="b-003 stands 2 times"):
        read_training_data([own], [again])


def test_too_few_conversations_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text(json.dumps(_document(0), ensure_ascii=False), "utf-8")
    with pytest.raises(InvalidConversation, match="too few"):
        read_training_data([path])
