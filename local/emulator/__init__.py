"""The local cloud's server: ministack behind a launcher that adds what a deployment of this project needs.

ministack has no extension interface, so each module here replaces private names of the pinned release, one concern per
module; `selftest` lists every one of those names and refuses to start when one is missing. Nothing here is imported by
product code: the process is started by `local.cloud` and reached only over HTTP.
"""
