import type {
  Container,
  EnvVar,
  EphemeralContainer,
  HTTPGetAction,
  LifecycleHandler,
  Probe,
  ResourceRequirements,
} from '../../shared/api/generated/types.js';
import { formatQuantity, parseQuantity, QuantityError } from '../../shared/api/quantity.js';

/** Fills what a container leaves out. Without an image there is no pull policy to choose. */
export function setContainerDefaults(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= pullPolicyOf(container.image ?? '');
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const variable of container.env ?? []) setEnvDefaults(variable);
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe])
    if (probe) setProbeDefaults(probe);
  for (const handler of [container.lifecycle?.postStart, container.lifecycle?.preStop])
    if (handler) setHandlerDefaults(handler);
  container.resources ??= {};
  canonicalizeResources(container.resources);
}

/** An image that may change under its name is always pulled; a digest or a tag of its own is not. */
export function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent';
  const last = image.slice(image.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  return colon < 0 || last.slice(colon + 1) === 'latest' ? 'Always' : 'IfNotPresent';
}

function setEnvDefaults(variable: EnvVar): void {
  const { fieldRef, resourceFieldRef, fileKeyRef } = variable.valueFrom ?? {};
  if (fieldRef) fieldRef.apiVersion ||= 'v1';
  if (resourceFieldRef) resourceFieldRef.divisor = canonical(resourceFieldRef.divisor ?? '0');
  if (fileKeyRef) fileKeyRef.optional ??= false;
}

function setProbeDefaults(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.httpGet) setHttpGetDefaults(probe.httpGet);
  if (probe.grpc) probe.grpc.service ??= '';
}

function setHandlerDefaults(handler: LifecycleHandler): void {
  if (handler.httpGet) setHttpGetDefaults(handler.httpGet);
}

function setHttpGetDefaults(action: HTTPGetAction): void {
  action.path ||= '/';
  action.scheme ||= 'HTTP';
}

/** Requests that are not stated follow the limits. */
export function setRequestsFromLimits(resources: ResourceRequirements | undefined): void {
  if (!resources?.limits) return;
  const requests = (resources.requests ??= {});
  for (const [name, limit] of Object.entries(resources.limits)) requests[name] ??= limit;
}

export function canonicalizeResources(resources: ResourceRequirements | undefined): void {
  canonicalizeQuantities(resources?.limits);
  canonicalizeQuantities(resources?.requests);
}

/** Rewrites each quantity as the server stores it: canonical, and no finer than a thousandth. */
export function canonicalizeQuantities(list: Record<string, string> | undefined): void {
  for (const [name, quantity] of Object.entries(list ?? {})) if (list) list[name] = canonical(quantity, 1_000_000n);
}

/** What cannot be read stays as it is, for validation to name it. A number in JSON is as good as its text. */
export function canonical(given: string | number, stepNanos = 1n): string {
  const text = String(given);
  try {
    const { nanos, format } = parseQuantity(text);
    const rest = nanos % stepNanos;
    return formatQuantity({ nanos: rest > 0n ? nanos - rest + stepNanos : nanos - rest, format });
  } catch (error) {
    if (error instanceof QuantityError) return text;
    throw error;
  }
}
