// Compile, purge and write the one style sheet: cd scripts/web && npm install && npm run build
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { PurgeCSS } from "purgecss";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const target = join(root, "hygie/kernel/web/static/hygie.css");

const { css } = sass.compile(join(here, "hygie.scss"), {
  loadPaths: [join(here, "node_modules")],
  style: "compressed",
  quietDeps: true,
});
const [{ css: purged }] = await new PurgeCSS().purge({
  content: [`${root}/hygie/**/templates/**/*.html`, `${root}/hygie/**/*.svg`].map(String),
  css: [{ raw: css }],
  variables: false,
  safelist: [/^js-enabled/],
});
const licence = readFileSync(join(here, "node_modules/govuk-frontend/package.json"), "utf8");
const version = JSON.parse(licence).version;
const banner = `/*! Hygie. Built on govuk-frontend ${version}, MIT, (c) Crown Copyright (GDS). Built by scripts/web/build.mjs */\n`;
// The compiler marks UTF-8 with a BOM that would stand in the middle of the file.
const text = banner + purged.replace(/^\uFEFF/, "") + "\n";
writeFileSync(target, text);
const packed = brotliCompressSync(Buffer.from(text)).length;
console.log(`${target}: ${text.length} bytes, ${packed} compressed`);
