import type { Container, Pod } from '../../shared/api/generated/types.js';
import { referenceTo, type EventRecorder } from '../../shared/controller/event-recorder.js';
import { ephemeralContainersOf, initContainersOf } from '../pod/pod-spec.js';

/** Events about one container carry its place in the pod, as `kubectl describe` shows it. */
export function containerEvent(
  events: EventRecorder,
  pod: Pod,
  container: Pick<Container, 'name'>,
  event: { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string },
): void {
  const fieldPath = `spec.${fieldOf(pod, container.name)}{${container.name}}`;
  events.event({ ...referenceTo(pod), fieldPath }, event.type, event.reason, event.message);
}

function fieldOf(pod: Pod, name: string): string {
  if (initContainersOf(pod).some((container) => container.name === name)) return 'initContainers';
  return ephemeralContainersOf(pod).some((container) => container.name === name) ? 'ephemeralContainers' : 'containers';
}
