import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import type { AddressPolicy } from './address-policy.js';
import type { Reservation } from './byte-budget.js';
import { RequestError } from './request-error.js';

export interface PictureFetchOptions {
  /** All addresses of a name, as getaddrinfo gives them. */
  resolve: (hostname: string) => Promise<{ address: string; family: number }[]>;
  isAllowed: AddressPolicy;
  maxBytes: number;
  /** For the whole of it: names, redirects and bytes. */
  timeoutMs: number;
  maxRedirects: number;
}

/** Fetches the picture behind a URL into memory that `reservation` accounts for. */
export type PictureFetch = (url: string, reservation: Reservation) => Promise<Buffer>;

/**
 * Fetches pictures for strangers. Each name is resolved here, every address is checked, and the connection goes to the
 * checked address itself, so a name that changes between the check and the connection gains nothing. Redirects are
 * followed here too and checked the same way.
 */
export function pictureFetch(options: PictureFetchOptions): PictureFetch {
  return async (text, reservation) => {
    const signal = AbortSignal.timeout(options.timeoutMs);
    try {
      let url = parseUrl(text);
      for (let redirects = 0; ; redirects++) {
        const target = await checkedAddress(url, options);
        const response = await open(url, target, signal);
        const next = redirectTarget(response, url);
        if (next === undefined) return await readBody(response, options.maxBytes, reservation);
        response.destroy();
        if (redirects === options.maxRedirects)
          throw new RequestError(422, `The URL redirects more than ${options.maxRedirects} times.`);
        url = next;
      }
    } catch (error) {
      if (error instanceof RequestError) throw error;
      if (signal.aborted)
        throw new RequestError(422, `The picture did not arrive within ${options.timeoutMs / 1000} seconds.`);
      throw new RequestError(422, `The URL cannot be reached: ${reasonOf(error)}.`);
    }
  };
}

function parseUrl(text: string, base?: URL): URL {
  let url: URL;
  try {
    url = new URL(text, base);
  } catch {
    throw new RequestError(400, 'The URL is not valid; it must look like https://example.org/picture.jpg.');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new RequestError(400, 'Only http and https URLs are fetched.');
  if (url.username !== '' || url.password !== '')
    throw new RequestError(400, 'URLs with a user name or password are not fetched.');
  return url;
}

interface Address {
  address: string;
  family: number;
}

async function checkedAddress(url: URL, options: PictureFetchOptions): Promise<Address> {
  // The URL parser has already turned forms such as 0x7f.1 and 2130706433 into dotted ones.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(host);
  const addresses = family === 0 ? await options.resolve(host) : [{ address: host, family }];
  const [first] = addresses;
  if (first === undefined) throw new RequestError(422, `The host ${host} has no address.`);
  // One refused address is enough: a name that mixes public and private addresses is an attempt to get inside.
  if (!addresses.every(({ address }) => options.isAllowed(address))) {
    throw new RequestError(
      403,
      `The host ${host} has an address from which pictures are not fetched: it is not on the public Internet.`,
    );
  }
  return first;
}

function open(url: URL, target: Address, signal: AbortSignal): Promise<IncomingMessage> {
  const lookup: LookupFunction = (_hostname, options, callback) => {
    if (options.all === true) callback(null, [target]);
    else callback(null, target.address, target.family);
  };
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const headers = { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': 'image-classification-gateway' };
    request(url, { lookup, signal, headers, agent: false, maxHeaderSize: 16 * 1024 }, resolve)
      .on('error', reject)
      .end();
  });
}

function redirectTarget(response: IncomingMessage, url: URL): URL | undefined {
  const status = response.statusCode ?? 0;
  const location = response.headers.location;
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
  return parseUrl(location, url);
}

async function readBody(response: IncomingMessage, maxBytes: number, reservation: Reservation): Promise<Buffer> {
  try {
    const status = response.statusCode ?? 0;
    if (status !== 200) throw new RequestError(422, `The URL answers with status ${status}, not with a picture.`);
    const tooLarge = new RequestError(413, `The picture is larger than ${Math.floor(maxBytes / 1024 / 1024)} MB.`);
    if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge;
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw tooLarge;
      reservation.grow(chunk.length);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    response.destroy();
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known: Record<string, string> = {
    ENOTFOUND: 'the name does not exist',
    EAI_AGAIN: 'the name cannot be resolved now',
    ECONNREFUSED: 'the connection was refused',
    ECONNRESET: 'the connection was cut',
    ETIMEDOUT: 'nobody answers',
    EHOSTUNREACH: 'there is no way to the host',
    ENETUNREACH: 'there is no way to the network',
  };
  return known[code] ?? (code === '' ? 'the connection failed' : `the connection failed (${code})`);
}
