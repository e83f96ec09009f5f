"""Open every page of build/site in headless Chromium and say what is wrong with it.

``python tests/site_in_browser.py [FOLDER]`` prints one line for each fault and exits 1 if there
is any. It needs Debian's chromium and the websocket client that comes with Jupyter; the site is
opened from file://, so whatever asks for the network is a fault. With axe-core's axe.min.js in
.tools/axe/package (`npm pack axe-core`, unpacked there) axe looks too.
"""

import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import websocket

# Width and whether it is dark.
VIEWS = ((390, False), (768, False), (1400, False), (390, True), (1400, True))
# Pages of studies are many and alike: each is seen once, and so are all others by axe.
ONCE = VIEWS[0]
AXE = Path(__file__).parents[1] / ".tools" / "axe" / "package" / "axe.min.js"
AXED = """axe.run({resultTypes: ['violations']}).then(found => found.violations.map(
  one => `${one.id}, ${one.nodes.length} times, first: ${one.nodes[0].html.slice(0, 100)}`))"""
LEAST_CONTRAST = 4.5
# Large text may have less: WCAG 2.2, 1.4.3.
LEAST_OF_LARGE = 3.0
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--remote-debugging-port=0", "--hide-scrollbars"),
)
# Runs in the page; everything is read off what is drawn, nothing off the style sheets.
LOOK = """
(() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const lin = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const lum = ([r, g, b]) => 0.2126 * lin(r) + 0.7152 * lin(g) + 0.0722 * lin(b);
  const over = (top, below) => {
    const a = top.length > 3 ? top[3] : 1;
    return [0, 1, 2].map(i => top[i] * a + below[i] * (1 - a));
  };
  const behind = el => {
    const layers = [];
    for (let e = el; e; e = e.parentElement)
      layers.push(parse(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce(
      (below, top) => top.length ? over(top, below) : below, [255, 255, 255]);
  };
  const seen = el => {
    const box = el.getBoundingClientRect(), style = getComputedStyle(el);
    return box.width > 1 && box.height > 1 && style.visibility === 'visible'
      && el.checkVisibility();
  };
  const faint = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const done = new Set();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const el = node.parentElement;
    const skipped = el.closest('svg, math, script, style');
    if (!node.textContent.trim() || done.has(el) || skipped) continue;
    done.add(el);
    if (!seen(el)) continue;
    const style = getComputedStyle(el), ground = behind(el);
    const [a, b] = [lum(over(parse(style.color), ground)), lum(ground)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    const least = size >= 24 || (bold && size >= 18.66) ? LARGE : LEAST;
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < least) faint.add(`${contrast.toFixed(2)} ${el.tagName} ${el.className} "${
      node.textContent.trim().slice(0, 30)}"`);
  }
  const page = document.scrollingElement;
  const wide = [...document.querySelectorAll('.bd-article *')].filter(el => seen(el)
    && el.getBoundingClientRect().right > innerWidth + 1
    && !el.closest('.pst-scrollable-table-container, pre, .cell_output > .output, .math'));
  const cut = [...document.querySelectorAll('.bd-article :is(td, th)')].filter(
    el => seen(el) && el.scrollWidth > el.clientWidth + 1
    && !(innerWidth < 601 && el.closest('thead')));
  const small = [...document.querySelectorAll('.ldn-fits img')].filter(img => seen(img)
    && innerWidth < 601 && 7.5 * img.getBoundingClientRect().width / 244 < 10.9);
  const heads = [...document.querySelectorAll('.bd-article :is(h1, h2, h3, h4)')].filter(seen);
  const unnamed = [
    ...document.querySelectorAll('img:not([alt]), .bd-article table:not(:has(caption, th))'),
    ...[...document.querySelectorAll('input, select')].filter(el => seen(el)
      && !el.labels?.length && !el.ariaLabel),
    ...heads.filter((el, n) => n && el.tagName[1] - heads[n - 1].tagName[1] > 1),
  ];
  return {
    small: small.map(img => img.currentSrc),
    unnamed: unnamed.slice(0, 3).map(el => el.outerHTML.slice(0, 80)),
    cut: cut.slice(0, 3).map(el => el.innerText.slice(0, 40)),
    faint: [...faint],
    scroll: page.scrollWidth - innerWidth,
    wide: wide.slice(0, 3).map(el => `${el.tagName} ${el.className}`),
    broken: [...document.images].filter(img => !img.complete || !img.naturalWidth).map(i => i.src),
  };
})()
""".replace("LARGE", str(LEAST_OF_LARGE)).replace("LEAST", str(LEAST_CONTRAST))
# What is folded is looked at unfolded, and pictures that wait to be scrolled to are fetched.
UNFOLD = """
(async () => {
  document.querySelectorAll('.bd-article details').forEach(el => { el.open = true; });
  document.querySelectorAll('img').forEach(img => { img.loading = 'eager'; });
  await Promise.all([...document.images].map(img => img.decode().catch(() => {})));
  await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)));
})()
"""
FOCUSED = """
(() => {
  const el = document.activeElement, box = el.getBoundingClientRect();
  const where = ['.bd-sidebar-primary', '.bd-article', 'dialog', '.prev-next-area', 'header']
    .find(s => el.closest(s)) || '';
  const words = el.innerText || el.ariaLabel || el.id || el.tagName;
  return {where, what: el === document.body ? '' : words.trim(), href: el.href || ''};
})()
"""
LONGEST_WALK = 80


class Browser:
    """A Chromium of our own, one page at a time, over the DevTools protocol."""

    def __init__(self, chromium):
        self.folder = tempfile.TemporaryDirectory()
        command = [chromium, *FLAGS, f"--user-data-dir={self.folder.name}", "about:blank"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.numbers = itertools.count(1)
        self.events = []
        port, path = self._address()
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{port}{path}", suppress_origin=True, timeout=60
        )
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def _address(self):
        file = Path(self.folder.name) / "DevToolsActivePort"
        for _ in range(300):
            lines = file.read_text().splitlines() if file.is_file() else []
            if len(lines) == 2:
                return lines
            time.sleep(0.1)
        raise RuntimeError("chromium did not start")

    def call(self, method, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            got = json.loads(self.socket.recv())
            if got.get("id") == number:
                if "error" in got:
                    raise RuntimeError(f"{method}: {got['error']}")
                return got["result"]
            self.events.append(got)

    def evaluate(self, expression):
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def paint(self, *, dark):
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        # Nothing fades in: a colour on its way is none.
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.call("Emulation.setEmulatedMedia", features=[scheme, still])

    def resize(self, width):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def open(self, address):
        """Load a page and wait until it and what it asks for have come."""
        self.events = []
        self.call("Page.navigate", url=address)
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(json.loads(self.socket.recv()))
        # Two frames: scripts that run on load have drawn.
        self.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")

    def press_tab(self):
        for kind in ("rawKeyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9
            )

    def screenshot(self, *, full=True):
        import base64

        shot = self.call("Page.captureScreenshot", captureBeyondViewport=full)
        return base64.b64decode(shot["data"])

    def close(self):
        try:
            self.socket.close()
        finally:
            self.process.terminate()
            self.process.wait(timeout=30)
            self.folder.cleanup()


def trouble(events):
    """Requests that failed or left the disk, and what the console complains of."""
    for event in events:
        method, got = event.get("method", ""), event.get("params", {})
        if method == "Network.requestWillBeSent":
            address = got["request"]["url"]
            if not address.startswith(("file:", "data:", "blob:")):
                yield f"asks for {address}"
        elif method == "Network.loadingFailed" and not got.get("canceled"):
            yield f"request failed: {got.get('errorText')} ({got.get('type')})"
        elif method == "Runtime.exceptionThrown":
            yield f"script error: {got['exceptionDetails'].get('text')}"
        elif method == "Runtime.consoleAPICalled" and got["type"] in ("error", "assert"):
            yield f"console: {[a.get('value') for a in got['args']]}"
        elif method == "Log.entryAdded" and got["entry"]["level"] == "error":
            yield f"log: {got['entry']['text']}"


def faults_of(browser, page, width, dark):
    """Look at one page at one width, by day or by night."""
    browser.resize(width)
    browser.paint(dark=dark)
    browser.open(page.as_uri())
    browser.evaluate(UNFOLD)
    found = browser.evaluate(LOOK)
    yield from trouble(browser.events)
    if found["scroll"] > 0:
        yield f"scrolls sideways by {found['scroll']} px"
    yield from (f"sticks out: {what}" for what in found["wide"])
    yield from (f"cell is cut: {words!r}" for words in found["cut"])
    yield from (f"picture is not shown: {source}" for source in found["broken"])
    yield from (f"contrast {what}" for what in found["faint"])
    yield from (f"letters below 11 px: {source}" for source in found["small"])
    yield from (f"without a name or out of order: {what}" for what in found["unnamed"])
    if AXE.is_file() and (width, dark) == ONCE:
        browser.evaluate(f"{AXE.read_text()};0")
        yield from (f"axe: {what}" for what in browser.evaluate(AXED))


def keyboard_walk(browser, page):
    """Where the tab key leads, from the top of a page."""
    browser.resize(1400)
    browser.open(page.as_uri())
    stops = []
    for _ in range(LONGEST_WALK):
        browser.press_tab()
        stop = browser.evaluate(FOCUSED)
        stops.append(stop)
        if stop["where"] == ".bd-article":
            break
    return stops


def keyboard_faults(browser, page):
    """What a reader without a mouse does not reach."""
    stops = keyboard_walk(browser, page)
    names = " ".join(stop["what"].lower() for stop in stops)
    if "skip to main content" not in stops[0]["what"].lower():
        yield f"the first stop does not skip to the content: {stops[0]}"
    if "search" not in names:
        yield "the search is not reached"
    if not any(stop["where"] == ".bd-sidebar-primary" and stop["href"] for stop in stops):
        yield "the list of pages is not reached"
    if stops[-1]["where"] != ".bd-article":
        yield f"no stop in the article within {LONGEST_WALK}"


def search_faults(browser, site, word):
    """Whether the search finds a word, without a server."""
    browser.resize(1400)
    browser.open(f"{(site / 'search.html').as_uri()}?q={word}")
    count = "document.querySelectorAll('#search-results li a').length"
    for _ in range(100):
        if browser.evaluate(count):
            break
        time.sleep(0.1)
    else:
        yield f"search finds nothing for {word!r}"
    yield from trouble(browser.events)


def layer_faults(browser, page, key="trials"):
    """Whether the address of a folded part of a page unfolds it."""
    # From another page: within one, nothing is loaded.
    browser.open("about:blank")
    browser.open(f"{page.as_uri()}#{key}")
    seen = f"document.getElementById({key!r})?.checkVisibility()"
    if not browser.evaluate(seen):
        yield f"#{key} is not unfolded"


def look_at(site, word="naltrexone"):
    """Yield every fault of every page."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("chromium is missing: apt-get install chromium")
    browser = Browser(chromium)
    try:
        pages = sorted(p for p in site.rglob("*.html") if "_static" not in p.parts)
        for page in pages:
            name = page.relative_to(site)
            for width, dark in VIEWS if page.parent.name != "studies" else (ONCE,):
                at = f"{name} at {width} px{', dark' if dark else ''}"
                yield from (f"{at}: {f}" for f in faults_of(browser, page, width, dark))
        browser.paint(dark=False)
        for name in ("index.html", "studies/index.html"):
            yield from (f"{name}: {fault}" for fault in keyboard_faults(browser, site / name))
        for page in sorted(site.glob("indications/*/index.html")):
            name = page.relative_to(site)
            yield from (f"{name}: {fault}" for fault in layer_faults(browser, page))
        yield from (f"search: {fault}" for fault in search_faults(browser, site, word))
    finally:
        browser.close()


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/site").resolve()
    if shutil.which("chromium") is None:
        sys.exit("there is no chromium here: the pages were not looked at in a browser")
    if not AXE.is_file():
        print(f"axe-core is not at {AXE}: our own checks only", file=sys.stderr)
    listed = list(look_at(folder))
    print("\n".join(listed) or "nothing wrong")
    sys.exit(1 if listed else 0)
