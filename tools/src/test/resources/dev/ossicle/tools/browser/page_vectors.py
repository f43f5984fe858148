"""Makes vectors for the page model: gpt-oss's page_contents.py (with html2text 2025.4.15, lxml) and textwrap over pages.

usage: page_vectors.py FOLDER_OF_page_contents.py FRAGMENTS PAGE.html... > pages.json   (fragments are parted by lines of %%)
"""
import json, pathlib, sys, textwrap, types
sys.path.insert(0, sys.argv[1])
for name in ("aiohttp", "tiktoken"): # imported there, not used here
    sys.modules[name] = types.ModuleType(name)
pydantic = types.ModuleType("pydantic")
class BaseModel:
    def __init__(self, **members): self.__dict__.update(members)
pydantic.BaseModel = BaseModel
sys.modules["pydantic"] = pydantic
import page_contents

def vector(name, html):
    url = "https://www.example.com/docs/" + name
    page = page_contents.process_html(html=html, url=url, title=None, display_urls=True)
    lines = []
    for line in page.text.split("\n"):
        lines += textwrap.wrap(line, width=80, replace_whitespace=False, drop_whitespace=False) if line else [""]
    return {"url": url, "html": html, "title": page.title, "links": page.urls, "text": page.text, "lines": lines}

vectors = []
for i, html in enumerate(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8").split("\n%%\n")):
    vectors.append(vector("fragment%d" % i, "<!DOCTYPE html><html><head></head><body>" + html.strip("\n") + "</body></html>"))
for path in map(pathlib.Path, sys.argv[3:]):
    vectors.append(vector(path.name, path.read_text(encoding="utf-8", errors="replace")))
print("[\n" + ",\n".join(json.dumps(v) for v in vectors) + "\n]")
