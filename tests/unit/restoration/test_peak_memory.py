"""The memory that a restoration takes does not grow with the image."""

import subprocess
import sys

import numpy as np
import pytest
import tifffile

pytestmark = pytest.mark.slow

SHAPE = (192, 512, 512)
"""50 million pixels: 50 MB as they are read, 200 MB as they are written."""

ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TRIM_THRESHOLD_": "65536",
}
"""What is freed goes back at once: glibc keeps up to 60 MB, as threads happen to meet."""

RESTORE = r"""
import re, sys
from pathlib import Path
import torch
from crossres.networks import ModelFile
from crossres.preprocess import Scale
from crossres.restoration import Restorer, Stated, restorer

class Passing(torch.nn.Module):
    stride_px, reach_px, pooling_px, live_channels = (1, 1, 1), (1, 1, 1), None, 4

    def forward(self, x):
        return x * 1

torch.set_num_threads(1)
folder, pixel_size_nm = Path(sys.argv[1]), float(sys.argv[2])
restorer.RESERVED_GB = 0.0
scale = Scale(0.0, 1.0)
about = ModelFile("care", {}, 3, scale, scale, pixel_size_nm)

def peak_kib():
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])

before = peak_kib()
Restorer([(Passing(), about)], memory_gb=0.02).restore_file(
    folder / "a.tif", folder / "b.ome.tif", stated=Stated(50.0)
)
print(peak_kib() - before)
"""


@pytest.mark.parametrize(("compression", "pixel_size_nm"), [(None, 50.0), ("zlib", 60.0)])
def test_peak_memory_is_bounded_by_the_configuration(tmp_path, compression, pixel_size_nm):
    volume = np.zeros(SHAPE, np.uint8)
    volume[:, ::7] = 200
    tifffile.imwrite(
        tmp_path / "a.tif", volume, metadata={"axes": "ZYX"}, ome=True, compression=compression
    )
    done = subprocess.run(
        [sys.executable, "-c", RESTORE, str(tmp_path), str(pixel_size_nm)],
        env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1", **ALLOCATOR},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    grown_mb = int(done.stdout) / 1024
    # 20 MB for a tile, and what is copied on its way through files: 46 to 52 MB for an image of any
    # size; one that held the image once more would take 50 or 200 MB more
    assert grown_mb < 80
    if pixel_size_nm == 50:
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.ome.tif"), volume)
