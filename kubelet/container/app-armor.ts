import { readFile } from 'node:fs/promises';
import type { AppArmorProfile, Container, Pod } from '../../shared/api/generated/types.js';
import { StartError } from './start-error.js';

/** How pods asked for a profile before there was a field for it; a container's name follows. */
const annotationPrefix = 'container.apparmor.security.beta.kubernetes.io/';
const localhostPrefix = 'localhost/';

/** The profile a container asks for: by its own field, by the annotation of old, or by the pod's field. */
export function appArmorOf(pod: Pod, container: Container): AppArmorProfile | undefined {
  return (
    container.securityContext?.appArmorProfile ??
    annotated(pod.metadata.annotations?.[annotationPrefix + container.name]) ??
    pod.spec.securityContext?.appArmorProfile
  );
}

function annotated(text: string | undefined): AppArmorProfile | undefined {
  if (text === 'runtime/default') return { type: 'RuntimeDefault' };
  if (text === 'unconfined') return { type: 'Unconfined' };
  if (!text?.startsWith(localhostPrefix)) return undefined;
  return { type: 'Localhost', localhostProfile: text.slice(localhostPrefix.length) };
}

const containersOf = ({ spec }: Pod): readonly Container[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
  ...(spec.ephemeralContainers ?? []),
];

/** Why the node cannot confine the pod as it asks, in the original's words. */
export function appArmorRefusal(pod: Pod, isEnabled: boolean): string | undefined {
  const profiles = containersOf(pod).map((container) => appArmorOf(pod, container));
  const asked = [
    ...profiles,
    pod.spec.securityContext?.appArmorProfile,
    // As the original: of whichever container they speak.
    ...Object.entries(pod.metadata.annotations ?? {}).map(([key, text]) =>
      key.startsWith(annotationPrefix) ? annotated(text) : undefined,
    ),
  ];
  if (!asked.some((profile) => profile && profile.type !== 'Unconfined')) return undefined;
  if (!isEnabled) return 'Cannot enforce AppArmor: AppArmor is not enabled on the host';
  const isNameless = ({ type, localhostProfile }: AppArmorProfile): boolean =>
    type === 'Localhost' && !localhostProfile?.trim();
  return profiles.some((profile) => profile && isNameless(profile))
    ? 'Cannot enforce AppArmor: invalid empty AppArmor profile name'
    : undefined;
}

/**
 * The profile by which the runtime is to confine the container: a name, `unconfined`, `runtime/default`, or undefined.
 * `loadedProfiles` is the kernel's list; where it may not be read, the runtime finds out itself. Throws where the profile is
 * not on it.
 */
export async function appArmorProfile(
  pod: Pod,
  container: Container,
  loadedProfiles: string,
): Promise<string | undefined> {
  const profile = appArmorOf(pod, container);
  if (profile?.type === 'Unconfined') return 'unconfined';
  if (profile?.type === 'RuntimeDefault') return 'runtime/default';
  if (profile?.type !== 'Localhost') return undefined;
  const name = profile.localhostProfile ?? '';
  const loaded = await readProfiles(loadedProfiles);
  // A runtime would take these names for its own words, and confine by another profile or none.
  const isLoaded = !['unconfined', 'runtime/default'].includes(name) && (loaded?.has(name) ?? true);
  if (!isLoaded) throw new StartError('CreateContainerError', `apparmor profile not found ${name}`);
  return name;
}

/** Each line is a name, possibly with a namespace and with spaces, and its mode: `docker-default (enforce)`. */
async function readProfiles(path: string): Promise<ReadonlySet<string> | undefined> {
  try {
    const lines = (await readFile(path, 'utf8')).split('\n');
    return new Set(lines.map((line) => line.slice(0, Math.max(0, line.lastIndexOf(' (')))));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES') return undefined;
    throw error;
  }
}
