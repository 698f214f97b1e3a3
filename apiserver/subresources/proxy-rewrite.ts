import { Transform, type TransformCallback } from 'node:stream';
import type { ProxyTarget } from './proxy-target.js';

/** A redirect of the backend to itself stays under the proxy's path. */
export function rewriteLocation(location: string, base: string, { scheme, host, port }: ProxyTarget): string {
  if (location.startsWith('/') && !location.startsWith('//')) return base + location;
  const origins = [`${scheme}://${host}:${port}`, `${scheme}://${host}`];
  const origin = origins.find((one) => location === one || location.startsWith(`${one}/`));
  return origin === undefined ? location : `${base}${location.slice(origin.length) || '/'}`;
}

/** Attributes that hold a URL; a value that starts at the root is one of the backend. */
const rootedLink = /(\s(?:href|src|action|data|poster|background|cite|longdesc|usemap)\s*=\s*["'])(\/(?!\/)[^"']*)/gi;
/** A tag that is longer is not rewritten: bounded memory. */
const maxTagBytes = 64 * 1024;

/** Makes the rooted links of a page lead through the proxy, tag by tag as it streams. */
export class HtmlRewriter extends Transform {
  readonly #base: string;
  #rest = '';

  constructor(base: string) {
    super();
    this.#base = base;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    // Latin-1 keeps every byte of whatever encoding the page has.
    const text = this.#rest + chunk.toString('latin1');
    const open = text.lastIndexOf('<');
    const isOpen = open >= 0 && text.indexOf('>', open) < 0 && text.length - open < maxTagBytes;
    const ready = isOpen ? text.slice(0, open) : text;
    this.#rest = isOpen ? text.slice(open) : '';
    done(undefined, this.#rewrite(ready));
  }

  override _flush(done: TransformCallback): void {
    done(undefined, this.#rewrite(this.#rest));
  }

  #rewrite(text: string): Buffer {
    const rewritten = text.replaceAll(rootedLink, (_match, head: string, path: string) => {
      return path.startsWith(`${this.#base}/`) ? head + path : head + this.#base + path;
    });
    return Buffer.from(rewritten, 'latin1');
  }
}
