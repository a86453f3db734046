"""What only a GPU can show; without one these tests are skipped."""

import numpy as np
import pytest
import torch
from training_runs import ADVERSARIAL, BOTH, CPU, PLAIN, changed, make_data, small_network

from crossres.networks import build, choose_device
from crossres.networks.graphs import Graphs
from crossres.restoration import Inference, NotFinite, restore
from crossres.training import ProcessGroup, loop, step, train
from crossres.training.batches import ANY_CROP, Sampling, draw_batch
from crossres.training.batches_ahead import batches_ahead

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
GPU = torch.device("cuda", 0)
SMALL = {
    ("gan", 2): {"width": 4, "depth": 2},
    ("tcan", 2): {"width": 4, "depth": 2, "groups": 1, "blocks": 1, "pooling_px": (32, 32)},
    ("rcan", 3): {"width": 8, "groups": 1, "blocks": 1, "pooling_px": (8, 32, 32)},
    ("care", 3): {"width": 4},
}


def small(name, dims):
    torch.manual_seed(0)
    return build(name, dims, **SMALL[name, dims]).eval()


@pytest.fixture(autouse=True)
def as_the_workflow_chooses_it():
    choose_device("cuda", 1)


@pytest.fixture
def synchronising_is_an_error():
    yield lambda: torch.cuda.set_sync_debug_mode("error")
    torch.cuda.set_sync_debug_mode("default")


# torch says once that it may miss some
@pytest.mark.filterwarnings("ignore:Synchronization debug mode:UserWarning")
@BOTH
def test_a_step_does_not_wait_for_the_gpu(data, settings, synchronising_is_an_error, caplog):
    training = loop._Run(small_network(), data, settings, 0, GPU, ProcessGroup(), False, ANY_CROP)
    patches = torch.rand(4, 1, 16, 16, device=GPU)
    for _ in range(5):
        training.step(patches, patches)
    assert training.updates.graphs.recorded, caplog.text
    synchronising_is_an_error()
    training.step(patches, patches)


@BOTH
def test_recorded_steps_train_as_ordinary_ones_do(data, settings, monkeypatch, tmp_path):
    found = []
    own = changed(settings, iterations=60, validate_every=10, precision="float32")
    for recording in (True, False):
        monkeypatch.setattr(step, "Graphs", lambda device, wanted, r=recording: Graphs(device, r))
        state = tmp_path / str(recording) / "training_state.pt"
        found.append(train(small_network(), data, own, 0, GPU, state, "stamp")[1])
    recorded, ordinary = found
    assert recorded.validation_mse.iloc[-1] < recorded.validation_mse.iloc[0]
    for column in ("validation_mse", "generator_loss", *ordinary.filter(like="discr").columns):
        np.testing.assert_allclose(recorded[column], ordinary[column], rtol=0.02, err_msg=column)


@BOTH
def test_a_killed_training_goes_on_there(data, settings, tmp_path):
    own = changed(settings, iterations=20, precision="float32")
    whole = train(small_network(), data, own, 0, GPU, tmp_path / "whole.pt", "stamp")[1]
    state = tmp_path / "training_state.pt"
    train(small_network(), data, changed(own, iterations=10), 0, GPU, state, "stamp")
    again = train(small_network(1), data, own, 0, GPU, state, "stamp")[1]
    np.testing.assert_allclose(again.validation_mse, whole.validation_mse, rtol=0.02)


@pytest.mark.parametrize("crop_px", [None, 16])
def test_patches_that_lie_there_are_those_that_are_drawn(crop_px):
    data = make_data(side_px=24)
    sampling = Sampling(batch=4, augment=True, seed=1, crop_px=crop_px)
    patches = data.train_inputs, data.train_targets
    for iteration, pair in enumerate(batches_ahead(*patches, sampling, 0, 5, GPU)):
        expected = draw_batch(*patches, sampling, iteration)
        for one, other in zip(pair, expected, strict=True):
            torch.testing.assert_close(one.cpu(), other, rtol=0, atol=0)


@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_it_learns_what_a_cpu_learns(data, precision, tmp_path):
    settings = changed(PLAIN, iterations=40, validate_every=40, learning_rate=3e-3)
    found = {}
    for device, chosen in ((CPU, "float32"), (GPU, precision)):
        state = tmp_path / device.type / "training_state.pt"
        own = changed(settings, precision=chosen)
        _, history = train(small_network(), data, own, 0, device, state, "stamp")
        found[device.type] = history.validation_mse.to_numpy()
    before, after = found["cpu"]
    part = 0.1 if precision == "auto" else 0.01
    np.testing.assert_allclose(found["cuda"], found["cpu"], atol=part * (before - after))


def test_a_training_begun_on_a_cpu_goes_on_there(tmp_path):
    state = tmp_path / "training_state.pt"
    data = make_data()
    train(small_network(), data, changed(ADVERSARIAL, iterations=4), 0, CPU, state, "stamp")
    _, history = train(small_network(), data, ADVERSARIAL, 0, GPU, state, "stamp")
    assert history.iteration.tolist() == [0, 2, 4, 6, 8]


@pytest.mark.parametrize(("half", "part"), [(False, 1e-4), (True, 0.02)])
def test_it_restores_what_a_cpu_restores(rng, half, part):
    image = rng.random((70, 90)).astype(np.float32)
    network = small_network()
    expected = restore(network, image)
    found = restore(network, image, device=GPU, half_precision=half)
    np.testing.assert_allclose(found, expected, atol=part * np.ptp(expected))


@pytest.mark.parametrize(
    ("name", "dims", "shape"),
    [
        ("gan", 2, (70, 90)),
        ("tcan", 2, (96, 80)),
        ("rcan", 3, (10, 70, 48)),
        ("care", 3, (8, 30, 40)),
    ],
)
@pytest.mark.parametrize("tile_px", [None, 32])
def test_images_of_one_size_are_restored_as_a_cpu_restores_them(rng, name, dims, shape, tile_px):
    network = small(name, dims)
    images = [rng.random(shape).astype(np.float32) for _ in range(4)]
    expected = [restore(network, image, tile_px=tile_px) for image in images]
    inference = Inference(network, GPU, half_precision=False)
    for image, wanted in zip(images, expected, strict=True):
        found = restore(inference, image, tile_px=tile_px)
        np.testing.assert_allclose(found, wanted, atol=1e-4 * np.ptp(wanted))
    assert inference.graphs.recorded


@pytest.mark.parametrize(
    ("name", "dims", "shape"), [("gan", 2, (64, 64)), ("rcan", 3, (8, 40, 40))]
)
def test_an_image_that_is_not_finite_is_refused_there_too(rng, name, dims, shape):
    inference = Inference(small(name, dims), GPU)
    image = np.full(shape, 3e38, np.float32)
    for _ in range(3):
        with pytest.raises(NotFinite):
            restore(inference, image)
