"""Makes figures fit to stand inside an HTML page."""

import re
import xml.etree.ElementTree as ET

SVG = "http://www.w3.org/2000/svg"
HREF = "{http://www.w3.org/1999/xlink}href"
ROUNDED = ("d", "x", "y", "width", "height", "transform", "viewBox", "points")
DECIMAL = re.compile(r"-?\d+\.\d+")
NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
REFERENCE = re.compile(r"(?<=#)[\w-]+")


def lean_svg(svg: str) -> str:
    """Return the drawing fit to stand inside an HTML page.

    Numbers keep two decimals, names that nothing refers to go, and so do
    the metadata and the style sheet, which would apply to the whole page.
    """
    ET.register_namespace("", SVG)
    tree = ET.fromstring(NOT_XML.sub("", svg))
    for parent in list(tree.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    used = set(REFERENCE.findall(svg))
    for element in tree.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
        if target := element.attrib.pop(HREF, None):
            element.set("href", target)
        for name in ROUNDED:
            if name in element.attrib:
                element.set(name, DECIMAL.sub(_round, element.attrib[name]))
    for name in ("width", "height", "version"):
        tree.attrib.pop(name, None)
    tree.set("stroke-linejoin", "round")
    text = ET.tostring(tree, encoding="unicode", short_empty_elements=True)
    return re.sub(r">\s+<", "><", text)


def _round(number: re.Match[str]) -> str:
    rounded = f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if rounded == "-0" else rounded
