"""The logged model: loaded with MLflow, and asked over HTTP."""

import base64
import io
import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from PIL import Image

from pipeline.characters import CLASSES
from pipeline.common import paths
from pipeline.common.files import md5
from pipeline.config.schema import TrackingConfig
from pipeline.nn.network import build_network, save_network
from pipeline.nn.options import ModelOptions
from pipeline.nn.unet import UNetOptions, build_unet, save_unet
from pipeline.reading.line_model import save_line_model
from pipeline.seeing.looks import look
from pipeline.tracking.__main__ import servable
from pipeline.tracking.registry import register
from pipeline.tracking.serving import log_model
from pipeline.tracking.store import open_store
from pipeline.tracking.views import BEST
from tests.conftest import copy_project
from tests.reading.conftest import line_model, templates  # noqa: F401 (fixtures)
from tests.servers import free_port, started

OPTIONS = ModelOptions("mlp", [16], "sigmoid", 0.0, "xavier", 0.0, [], 5)
EXTRA = {"seed": 1, "alphabet": {"characters": CLASSES, "nothing": False}}


@pytest.fixture(scope="module")
def project(tmp_path_factory, line_model) -> Path:  # noqa: F811
    """A copy of the project with a line model, and no ink network."""
    copy = copy_project(tmp_path_factory.mktemp("serving") / "project")
    (copy / paths.LATTICE).parent.mkdir()
    save_line_model(copy / paths.LATTICE, line_model)
    return copy


@pytest.fixture(autouse=True)
def root(project, monkeypatch) -> None:
    monkeypatch.setattr(paths, "ROOT", project)


@pytest.fixture(scope="module")
def served(tmp_path_factory, project):
    """`(store uri, network)` of a store whose champion is a small untrained network."""
    import mlflow

    folder = tmp_path_factory.mktemp("serving")
    network = build_network(OPTIONS, (32, 32), 36, np.random.default_rng(1))
    save_network(folder / "model.npz", network, EXTRA)
    uri = f"sqlite:///{folder}/mlflow.db"
    before = mlflow.get_tracking_uri()
    environment = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    experiment = client.create_experiment("handprint", artifact_location=f"file://{folder}/mlruns")
    run = client.create_run(experiment)
    started = time.perf_counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "ROOT", project)
        model = log_model(run.info.run_id, folder / "model.npz")
    seconds = time.perf_counter() - started
    client.create_registered_model("handprint")
    client.create_model_version("handprint", model, run.info.run_id, model_id=model.removeprefix("models:/"))
    client.set_registered_model_alias("handprint", "champion", "1")
    yield uri, network, seconds
    mlflow.set_tracking_uri(before)
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    os.environ.update({} if environment is None else {"MLFLOW_TRACKING_URI": environment})


@pytest.fixture(scope="module")
def loaded(served):
    import mlflow

    return mlflow.pyfunc.load_model("models:/handprint@champion")


def letter_l(height: int = 60, width: int = 40) -> np.ndarray:
    """(H, W) uint8, bright ink: an L."""
    image = np.zeros((height, width), np.uint8)
    image[8:-8, 8:14] = image[-14:-8, 8:-8] = 255
    return image


def encoded(image: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def page() -> np.ndarray:
    """(H, W) uint8: three Ls in a row on paper."""
    photo = np.full((300, 500), 230, np.uint8)
    for x in (80, 160, 240):
        photo[100:160, x : x + 40] -= letter_l() // 255 * 200
    return photo


def test_logging_is_quick(served):
    assert served[2] < 10, "about half a second on a quiet machine: nothing is installed, inferred or started"


def test_images_in_characters_and_probabilities_out(served, loaded):
    from pipeline.characters.normalise import normalise_all

    images = np.stack([letter_l(), letter_l()[:, ::-1]])
    result = loaded.predict(images.astype(np.float32))
    expected = served[1].predict(normalise_all(images))
    np.testing.assert_allclose(result["probabilities"], expected, atol=1e-6)
    assert result["characters"] == [CLASSES[i] for i in expected.argmax(axis=1)]
    assert result["text"] == "".join(result["characters"])


def test_the_signature_is_float32_and_the_example_works(loaded):
    assert loaded.metadata.signature.inputs.input_types() == [np.dtype(np.float32)]
    assert len(loaded.predict(loaded.input_example)["characters"]) == 1
    with pytest.raises(Exception, match="float32"):
        loaded.predict(np.zeros((1, 32, 32)))


def test_the_model_holds_no_pickle_and_pins_what_it_needs(loaded):
    import mlflow

    folder = Path(mlflow.artifacts.download_artifacts(loaded.model_id and f"models:/{loaded.model_id}"))
    assert not [file for file in folder.rglob("*") if file.suffix in (".pkl", ".pickle", ".joblib", ".cloudpickle")]
    requirements = (folder / "requirements.txt").read_text().split()
    assert f"numpy=={np.__version__}" in requirements and all("==" in line for line in requirements)


def test_bad_pictures_are_refused_in_words(loaded):
    dummy = np.zeros((1, 1, 1), np.float32)
    for params, words in (
        ({"page": "@@"}, "not base64"),
        ({"page": "AAAA"}, "page: not an image"),
        ({"character": "AAAA"}, "character: cannot be read"),
    ):
        with pytest.raises(Exception, match=words):
            loaded.predict(dummy, params=params)


def test_what_is_not_finite_is_refused_and_nothing_written_is_nothing(loaded):
    dummy = np.zeros((1, 1, 1), np.float32)
    for value in (np.nan, np.inf):
        with pytest.raises(MlflowException, match="not all numbers are finite") as refused:
            loaded.predict(np.full((1, 32, 32), value, np.float32))
        assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    result = loaded.predict(np.stack([np.zeros((60, 40)), letter_l(), np.full((60, 40), 255)]).astype(np.float32))
    assert result["characters"][0] == result["characters"][2] == "" and len(result["text"]) == 1
    assert np.allclose(result["probabilities"][0], 1 / len(CLASSES))
    blank = encoded(np.full((300, 500), 230, np.uint8))
    assert loaded.predict(dummy, params={"character": blank})["text"] == ""
    read = loaded.predict(dummy, params={"page": blank})
    assert read["text"] == "" and read["lines"] == []


def test_pages_are_read_with_the_ink_network_or_a_line_says_that_they_are_not(served, project, tmp_path, capfd):
    """As the stage `ocr` reads them; nothing is said while the model is logged."""
    import mlflow

    uri, network, _ = served
    run = mlflow.MlflowClient(uri).get_run(mlflow.MlflowClient(uri).get_model_version("handprint", "1").run_id)
    save_network(tmp_path / "model.npz", network, EXTRA)
    without = log_model(run.info.run_id, tmp_path / "model.npz")
    model = mlflow.pyfunc.load_model(without)
    model.predict(model.input_example)
    assert "ink" not in capfd.readouterr().err, "characters need none"
    for _ in range(2):
        model.predict(model.input_example, params={"page": encoded(page())})
    (line,) = [line for line in capfd.readouterr().err.splitlines() if "ink" in line]
    assert "logged without models/ink.npz" in line and "promote again" in line
    unet = build_unet(UNetOptions([4, 4], 5), np.random.default_rng(0))
    save_unet(project / paths.INK, unet, {})
    try:
        reader = mlflow.pyfunc.load_model(log_model(run.info.run_id, tmp_path / "model.npz")).unwrap_python_model()
    finally:
        (project / paths.INK).unlink()
    assert "ink" not in capfd.readouterr().err
    picture = np.full((64, 64), 200, np.uint8)
    np.testing.assert_allclose(look(picture, reader.models.ink), look(picture, unet), atol=1e-6)
    assert reader.classifier is reader.models.characters, "one network reads characters and pages"


def test_a_line_model_that_does_not_fit_the_classifier_leaves_characters_readable(served, tmp_path, monkeypatch):
    """As between the promotion of a network with another alphabet and the next `dvc repro`."""
    import mlflow

    uri, network, _ = served
    run = mlflow.MlflowClient(uri).get_model_version("handprint", "1").run_id
    save_network(tmp_path / "model.npz", network, EXTRA)
    project = copy_project(tmp_path / "project")
    monkeypatch.setattr(paths, "ROOT", project)
    (project / paths.LATTICE).parent.mkdir(exist_ok=True)
    (project / paths.LATTICE).write_bytes(b"fitted for something else")
    model = mlflow.pyfunc.load_model(log_model(run, tmp_path / "model.npz"))
    assert model.predict(np.stack([letter_l()]).astype(np.float32))["text"] in CLASSES
    with pytest.raises(MlflowException, match="lattice.npz: .*; run `dvc repro lattice`, then promote it again"):
        model.predict(model.input_example, params={"page": encoded(page())})


@pytest.mark.parametrize("name", ["my project #2", "50%25 ä?x&y+z"])
def test_a_model_is_logged_and_registered_from_a_folder_of_any_name(tmp_path, monkeypatch, name):
    project = copy_project(tmp_path / name)
    for root in ("ROOT", "STORE_ROOT"):
        monkeypatch.setattr(paths, root, project)
    (project / "run/models").mkdir(parents=True)
    weights = project / "run" / paths.MODEL
    save_network(weights, build_network(OPTIONS, (32, 32), 36, np.random.default_rng(1)), EXTRA)
    client, experiment = open_store(TrackingConfig("local", "handprint"))
    run = client.create_run(experiment, tags={"weights": md5(weights), "folder": "run", "data.prepared": "abc"})
    client.log_metric(run.info.run_id, BEST, 0.5)
    version = register(client, client.get_run(run.info.run_id))
    assert register(client, client.get_run(run.info.run_id)) == version, "its files are found again"
    logged = {file.name for file in (project / "mlruns/models").rglob("*") if file.is_file()}
    assert {"model.npz", "language.npz", "pages.yaml", "MLmodel"} <= logged
    assert {path.name for path in tmp_path.iterdir()} == {name}
    address = servable(f"models:/handprint/{version}")
    assert address.startswith("models:/") if "%" not in name else (Path(address) / "MLmodel").is_file()


def test_mlflow_serves_the_champion_over_http(served, tmp_path):
    """The command of the README, and requests as curl would send them."""
    port = free_port()
    options = ["-m", "models:/handprint@champion", "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    command = [sys.executable, "-m", "mlflow", "models", "serve", *options]
    log, root = tmp_path / "server.log", Path("/")  # not this folder: the project's code is the model's own
    with started(command, f"http://127.0.0.1:{port}/ping", root, log, MLFLOW_TRACKING_URI=served[0]):

        def ask(body: dict) -> dict:
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["predictions"]

        pixels = ask({"inputs": [letter_l().tolist()]})
        assert pixels["text"] in CLASSES and len(pixels["probabilities"][0]) == 36
        dark_on_light = 255 - letter_l()
        assert ask({"inputs": [[[0]]], "params": {"character": encoded(dark_on_light)}})["text"] == pixels["text"]
        read = ask({"inputs": [[[0]]], "params": {"page": encoded(page())}})
        assert sum(len(word["characters"]) for line in read["lines"] for word in line["words"]) == 3
        assert len(read["text"].replace(" ", "")) == 3
        for page_sent in ("@@", "AAAA"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                ask({"inputs": [[[0]]], "params": {"page": page_sent}})
            assert refused.value.code == 400 and "page: not " in json.load(refused.value)["message"]
