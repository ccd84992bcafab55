"""The engine's hooks for MkDocs, as ``mkdocs.yml`` names them."""

from engine.build.plugin import EnginePlugin

_plugin = EnginePlugin()
globals().update(
    (name, getattr(_plugin, name))
    for name in dir(_plugin)
    if name.startswith("on_")
)
