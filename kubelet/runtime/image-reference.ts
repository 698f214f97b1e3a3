import { RuntimeError } from './container-runtime.js';

/** An image reference taken apart, as Docker's and Kubernetes' own parsers do (distribution/reference). */
export interface ImageReference {
  readonly domain: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
  /** Complete: `docker.io/library/busybox:latest`. */
  readonly canonical: string;
  /** As people write it and `docker images` shows it: `busybox:latest`. */
  readonly familiar: string;
}

const DOMAIN =
  /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::[0-9]+)?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const MAX_REFERENCE_LENGTH = 4096;
const MAX_NAME_LENGTH = 255;

/** Parses `[domain/]path[:tag][@digest]` with Docker's defaults. Throws RuntimeError `InvalidImageName`. */
export function parseImageReference(reference: string): ImageReference {
  if (reference === '' || reference.length > MAX_REFERENCE_LENGTH) throw invalid(reference, 'invalid reference format');
  if (/^[a-f0-9]{64}$/.test(reference)) {
    throw invalid(reference, 'cannot specify 64-byte hexadecimal strings');
  }
  const at = reference.indexOf('@');
  const digest = at < 0 ? undefined : reference.slice(at + 1);
  const named = at < 0 ? reference : reference.slice(0, at);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const explicitTag = hasTag ? named.slice(colon + 1) : undefined;
  const name = splitDomain(hasTag ? named.slice(0, colon) : named);
  check(reference, name, explicitTag, digest);
  const tag = explicitTag ?? (digest === undefined ? 'latest' : undefined);
  const suffix = `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
  return {
    ...name,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    canonical: `${name.domain}/${name.path}${suffix}`,
    familiar: `${familiarName(name)}${suffix}`,
  };
}

/** An id as the engine gives it: it names an image without being a reference. */
export function isImageId(reference: string): boolean {
  return /^(?:sha256:)?[a-f0-9]{64}$/.test(reference);
}

/** The first component is a domain if it looks like one: has a dot or a port, is localhost, or has capitals. */
function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isDomain = slash > 0 && (/[.:A-Z]/.test(first) || first === 'localhost');
  const domain = isDomain && first !== 'index.docker.io' ? first : 'docker.io';
  const path = isDomain ? name.slice(slash + 1) : name;
  return { domain, path: domain === 'docker.io' && !path.includes('/') ? `library/${path}` : path };
}

function check(
  reference: string,
  name: { domain: string; path: string },
  tag: string | undefined,
  digest: string | undefined,
): void {
  const components = name.path.split('/');
  if (!components.every((part) => COMPONENT.test(part))) {
    const isOnlyCase = components.every((part) => COMPONENT.test(part.toLowerCase()));
    throw invalid(reference, isOnlyCase ? 'repository name must be lowercase' : 'invalid reference format');
  }
  if (name.path.length > MAX_NAME_LENGTH) {
    throw invalid(reference, `repository name must not be more than ${MAX_NAME_LENGTH} characters`);
  }
  const bad =
    !DOMAIN.test(name.domain) ||
    (tag !== undefined && !TAG.test(tag)) ||
    (digest !== undefined && !DIGEST.test(digest));
  if (bad) throw invalid(reference, 'invalid reference format');
}

function familiarName({ domain, path }: { domain: string; path: string }): string {
  if (domain !== 'docker.io') return `${domain}/${path}`;
  return path.startsWith('library/') && !path.slice('library/'.length).includes('/')
    ? path.slice('library/'.length)
    : path;
}

function invalid(reference: string, why: string): RuntimeError {
  return new RuntimeError('InvalidImageName', `couldn't parse image name "${reference.slice(0, 300)}": ${why}`);
}
