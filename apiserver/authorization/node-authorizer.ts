import { pods } from '../../shared/api/generated/resources.js';
import type { Pod, PolicyRule } from '../../shared/api/generated/types.js';
import type { ObjectReader } from '../registry/object-reader.js';
import type { User } from '../authentication/user.js';
import { allow, noOpinion, type Attributes, type Authorizer, type Decision, type KnownRules } from './authorizer.js';
import { CompiledRules } from './compiled-rules.js';
import { nodeNameOf } from './node-identity.js';
import { references } from './pod-references.js';
import { eventsRule, READ, rule } from './rule.js';

/** What every kubelet may do; NodeRestriction narrows the writes to its own objects. */
const nodeRules: readonly PolicyRule[] = [
  eventsRule(),
  rule(READ, 'core', 'services endpoints namespaces'),
  rule(READ, 'discovery.k8s.io', 'endpointslices'),
  rule('list watch', 'networking.k8s.io', 'servicecidrs'),
  rule(READ, 'node.k8s.io', 'runtimeclasses'),
  rule(READ, 'core', 'pods'),
  rule('create delete', 'core', 'pods'),
  rule('update patch', 'core', 'pods/status'),
  rule('create', 'core', 'pods/eviction'),
  rule('get list watch create update patch', 'core', 'nodes'),
  rule('update patch', 'core', 'nodes/status'),
  rule('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests'),
  rule('create', 'authentication.k8s.io', 'tokenreviews'),
  rule('create', 'authorization.k8s.io', 'subjectaccessreviews localsubjectaccessreviews'),
];
const compiledNodeRules = new CompiledRules(nodeRules);

const referenced = new Set(['secrets', 'configmaps', 'persistentvolumeclaims', 'serviceaccounts']);

const reading = new Set(['get', 'list', 'watch']);

/**
 * Rights of kubelets and of the kube-proxy beside each, which needs all nodes for its routes, and the service ranges. Pods are read by their own node
 * alone. Secrets, ConfigMaps, claims and accounts are open to a node only while one of its pods names them, so a broken node
 * gives away its own pods' secrets and no others.
 */
export class NodeAuthorizer implements Authorizer {
  readonly #objects: ObjectReader;

  constructor(objects: ObjectReader) {
    this.#objects = objects;
  }

  authorize(attributes: Attributes): Decision {
    const node = nodeNameOf(attributes.user);
    if (node === undefined || !attributes.isResourceRequest) return noOpinion;
    const { group, resource } = attributes;
    if (group === '' && referenced.has(resource)) return this.#authorizeReference(node, attributes);
    if (group === 'coordination.k8s.io' && resource === 'leases') return authorizeLease(node, attributes);
    if (isOwnHealthCheck(node, attributes)) return allow;
    if (group === '' && resource === 'pods' && attributes.subresource === '' && reading.has(attributes.verb))
      return this.#authorizePodRead(node, attributes);
    return compiledNodeRules.allows(attributes) ? allow : noOpinion;
  }

  rulesFor(user: User): KnownRules {
    if (nodeNameOf(user) === undefined) return { rules: [] };
    return { rules: nodeRules, incomplete: 'node authorizer does not support user rule resolution' };
  }

  #authorizeReference(node: string, attributes: Attributes): Decision {
    const { verb, resource, subresource, namespace = '', fieldSelector } = attributes;
    // A watch or list of one name is a get; of all it is nobody's business.
    const name = attributes.name || singleName(fieldSelector);
    const isToken = resource === 'serviceaccounts' && subresource === 'token' && verb === 'create';
    const isRead = subresource === '' && reading.has(verb);
    if (!isToken && !isRead) return noOpinion;
    if (name === '' || namespace === '') {
      return { verdict: 'noOpinion', reason: 'No Object name found' };
    }
    const isNamed = this.#podsOf(node).some(
      (pod) => pod.metadata?.namespace === namespace && references(pod, resource, name),
    );
    if (isNamed) return allow;
    const object = JSON.stringify(attributes.user.name);
    return {
      verdict: 'noOpinion',
      reason: `no relationship found between node ${object.replace('system:node:', '')} and this object`,
    };
  }

  #authorizePodRead(node: string, { verb, namespace, name, fieldSelector }: Attributes): Decision {
    if (verb === 'get') {
      // A kubelet must see that its pod is gone, and then nobody can tell any more whose it was.
      const pod = this.#objects.find(pods, namespace, name);
      if (!pod || pod.spec.nodeName === node) return allow;
      return { verdict: 'noOpinion', reason: 'can only read pods that are bound to the requesting node' };
    }
    const isOwn = (fieldSelector ?? '').split(',').some((term) => /^spec\.nodeName==?(.*)$/.exec(term)?.[1] === node);
    return isOwn ? allow : { verdict: 'noOpinion', reason: `can only ${verb} pods with spec.nodeName=${node}` };
  }

  #podsOf(node: string): Pod[] {
    return this.#objects.listBy(pods, 'spec.nodeName', node);
  }
}

/** A joining node asks whether the server reaches its kubelet. Nothing else of the proxy is open, which could do all that the server can. */
function isOwnHealthCheck(node: string, { verb, group, resource, path }: Attributes): boolean {
  return verb === 'get' && group === '' && resource === 'nodes' && path === `/api/v1/nodes/${node}/proxy/healthz`;
}

function authorizeLease(node: string, attributes: Attributes): Decision {
  const { namespace, name, verb, subresource } = attributes;
  const isOwn =
    namespace === 'kube-node-lease' && subresource === '' && (name === node || (verb === 'create' && name === ''));
  const isKnown = ['get', 'create', 'update', 'patch', 'delete'].includes(verb);
  return isOwn && isKnown
    ? allow
    : { verdict: 'noOpinion', reason: 'can only access node lease with the same name as the requesting node' };
}

function singleName(fieldSelector: string | undefined): string {
  const match = /^metadata\.name=([^,=]+)$/.exec(fieldSelector ?? '');
  return match?.[1] ?? '';
}
