"""What only a GPU can show; without one these tests are skipped."""

import numpy as np
import pytest
import torch
from training_runs import ADVERSARIAL, BOTH, CPU, PLAIN, changed, make_data, small_network

from crossres.restoration import restore
from crossres.training import ProcessGroup, loop, train
from crossres.training.batches import ANY_CROP

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
GPU = torch.device("cuda", 0)


@pytest.fixture
def synchronising_is_an_error():
    yield lambda: torch.cuda.set_sync_debug_mode("error")
    torch.cuda.set_sync_debug_mode("default")


@BOTH
def test_a_step_does_not_wait_for_the_gpu(data, settings, synchronising_is_an_error):
    training = loop._Run(small_network(), data, settings, 0, GPU, ProcessGroup(), False, ANY_CROP)
    patches = torch.rand(4, 1, 16, 16, device=GPU)
    for _ in range(5):
        training.step(patches, patches)
    synchronising_is_an_error()
    training.step(patches, patches)


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
