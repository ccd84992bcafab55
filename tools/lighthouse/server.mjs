// Serves the built site on this machine as a good host would: compressed,
// with the headers of its _headers file.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { promisify } from "node:util";
import { brotliCompress } from "node:zlib";

const compress = promisify(brotliCompress);

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ipynb": "application/x-ipynb+json",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".md": "text/markdown; charset=utf-8",
  ".png": "image/png",
  ".py": "text/x-python; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".xml": "application/xml",
};

/** Return the headers that a _headers file gives to all pages. */
async function siteHeaders(site) {
  const text = await readFile(join(site, "_headers"), "utf-8");
  const lines = text.split("\n").filter((line) => line.startsWith("  "));
  return Object.fromEntries(lines.map((line) => line.trim().split(/: (.*)/)));
}

/** Serve the folder on a free port of 127.0.0.1; return server and address. */
export async function serve(site) {
  const headers = await siteHeaders(site);
  const compressed = new Map();
  const read = async (file) => {
    if (!compressed.has(file)) {
      compressed.set(file, await compress(await readFile(file)));
    }
    return compressed.get(file);
  };
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://x").pathname);
    const file = normalize(join(site, path.endsWith("/") ? `${path}index.html` : path));
    try {
      if (!file.startsWith(site)) throw new Error("outside of the site");
      const body = await read(file);
      response.writeHead(200, {
        ...headers,
        "Cache-Control": "max-age=3600",
        "Content-Encoding": "br",
        "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
      });
      response.end(body);
    } catch {
      response.writeHead(404, { ...headers, "Content-Type": "text/html" });
      response.end(await readFile(join(site, "404.html")));
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, address: `http://127.0.0.1:${server.address().port}` };
}
