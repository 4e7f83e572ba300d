"""Which paths may be code or configuration that some program reads without being told to.

Somebody who may push results may name any path in them. A hook runs without a look at the user's code, so for a path
that no analysis here knows it has only the name: what is not plainly data is left alone. The extensions are therefore a
list of what is data, and not of what is code: YAML, TOML, INI, Markdown, HTML and notebooks are read by too many tools.
"""

from __future__ import annotations

import unicodedata


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DATA = _words(
    # tables and arrays
    "csv tsv psv json jsonl ndjson geojson parquet pq feather arrow ipc orc avro npy npz h5 hdf5 hdf nc mat rds dta "
    "sav xlsx ods sqlite sqlite3 db duckdb dat data txt log "
    # models
    "pkl pickle joblib pt safetensors onnx keras ckpt tflite pb gguf ggml model bin ubj cbm weights index faiss vocab "
    "spm "
    # pictures, sound, films, documents
    "png jpg jpeg gif svg webp tif tiff bmp pdf eps wav mp3 flac ogg mp4 avi mkv webm "
    # maps, biology, archives
    "gpkg shp shx dbf prj kml las laz fasta fa fastq fq vcf bam bai bed gff gtf sam cram "
    "gz bz2 xz zst lz4 zip tar tgz 7z"
)
# Data by their extension, and read by pip, npm, CMake, an editor, a compiler or a host all the same.
_READ_BY_TOOLS = _words(
    "package.json package-lock.json npm-shrinkwrap.json composer.json deno.json import_map.json jsconfig.json "
    "pyrightconfig.json angular.json nx.json turbo.json lerna.json vercel.json now.json biome.json renovate.json "
    "nodemon.json firebase.json cdk.json cypress.json tslint.json app.json global.json appsettings.json "
    "launchsettings.json launch.json settings.json tasks.json extensions.json devcontainer.json mcp.json "
    "opencode.json compile_commands.json cmakepresets.json cmakeuserpresets.json vcpkg.json project.json bower.json "
    "conanfile.txt cmakelists.txt meson_options.txt apt.txt runtime.txt packages.txt top_level.txt entry_points.txt"
)
_PARTS_READ_BY_TOOLS = ("requirements", "constraints", "tsconfig", ".config.", "rc.json", "hooks.json")
_FOLDERS_OF_CODE = _words("node_modules __pycache__ site-packages dist-packages")
_ENDINGS_OF_CODE_FOLDERS = (".egg-info", ".dist-info", ".egg", ".app")


def may_be_code(path: str) -> bool:
    """Whether a file of this repository-relative path may be code or configuration."""
    *folders, name = path.split("/")
    return any(map(_is_odd_folder, folders)) or _is_odd_file(name)


def may_hold_code(path: str) -> bool:
    """The same for a directory whose files are looked at one by one."""
    return any(map(_is_odd_folder, path.split("/")))


def _is_odd_folder(name: str) -> bool:
    plain = name.casefold()
    return _is_odd(name) or plain in _FOLDERS_OF_CODE or plain.endswith(_ENDINGS_OF_CODE_FOLDERS)


def _is_odd_file(name: str) -> bool:
    plain = name.casefold()
    if _is_odd(name) or plain in _READ_BY_TOOLS or any(part in plain for part in _PARTS_READ_BY_TOOLS):
        return True
    return plain.rpartition(".")[2] not in _DATA or "." not in plain


def _is_odd(name: str) -> bool:
    """A hidden name, or one that some file system or terminal takes for another."""
    if name.isascii() and name.replace("_", "").replace("-", "").replace(".", "").isalnum():
        return name.startswith((".", "-"))
    if name[:1] in ("", ".", "-") or name[-1] in (" ", ".") or any(letter in ':\\/"<>|?*' for letter in name):
        return True
    plain = unicodedata.normalize("NFKC", name)
    return (
        plain.startswith(".")
        or any(unicodedata.category(letter)[0] == "C" for letter in name)
        or (plain.casefold() != unicodedata.normalize("NFC", name).casefold())
    )
