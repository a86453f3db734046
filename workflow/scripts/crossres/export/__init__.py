"""Trained models as bioimage.io packages, for other programs."""

from crossres.export.package import check_package, write_package

__all__ = ["check_package", "write_package"]
