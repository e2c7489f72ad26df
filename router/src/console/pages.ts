import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Board } from './board.ts';

/** What browsers may do with every page of the console: nothing outside of it. */
export const PAGE_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  workerSrc: ["'self'"],
  // The page has inline styles; without other sources they cannot send anything anywhere.
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  fontSrc: ["'self'"],
  connectSrc: ["'self'"],
  baseUri: ["'self'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
};

/** A place for a value: escaped (`=`), or as it is (`-`). */
const PLACE = /<%([=-])\s*(\w+)\s*%>/g;
const OUTSIDE_LINK = /<link\b[^>]*\bhref="https?:[^>]*>/g;

/** The board's page, without the links to outside servers that its template has. Throws if it is another template. */
export function boardPage({ folder, name, values }: Board['template']): string {
  const page = readFileSync(join(folder, name), 'utf8')
    .replaceAll(OUTSIDE_LINK, '')
    .replaceAll(PLACE, (_place, mode: string, key: string) => {
      const value = values[key];
      if (value === undefined) throw new Error(`the page ${name} has no value for ${key}`);
      return mode === '-' ? value : escaped(value);
    });
  if (page.includes('<%'))
    throw new Error(`the page ${name} has statements that are not understood`);
  return page;
}

/** The page that requests an operator's token; `problem` says why it is shown. */
export function signInPage(problem: string): string {
  return ownPage(
    problem,
    `<form method="post" action="/session">
    <label for="token">A bearer token with the role "operator":</label>
    <textarea id="token" name="token" rows="6" required autofocus autocomplete="off" spellcheck="false"></textarea>
    <button>Sign in</button>
  </form>`,
  );
}

/** The page for a server that is away; the browser loads it again by itself. */
export function outagePage(problem: string): string {
  return ownPage(problem, '', '<meta http-equiv="refresh" content="10">');
}

function ownPage(problem: string, content: string, head = ''): string {
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  ${head}
  <title>spacerent queues</title>
  <link rel="icon" href="data:,">
  <style>
    body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem; }
    label, textarea, button { display: block; font: inherit; }
    textarea { width: 100%; box-sizing: border-box; margin: .5rem 0 1rem; font: .85rem/1.4 monospace; }
    button { padding: .4rem 1.2rem; }
  </style>
</head>
<body>
  <h1>spacerent queues</h1>
  <p role="alert">${escaped(problem)}</p>
  ${content}
</body>
</html>
`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] as string);
}
