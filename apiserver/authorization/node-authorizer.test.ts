import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRequestInfo } from '../http/request-info.js';
import { ObjectReader } from '../registry/object-reader.js';
import { NodeAuthorizer } from './node-authorizer.js';

const authorizer = new NodeAuthorizer(
  new ObjectReader([], { cacheOf: () => assert.fail('no kind is known') } as never),
);
const user = { name: 'system:node:node-1', groups: ['system:nodes', 'system:authenticated'] };

function verdict(method: string, url: string): string {
  const [path = '', query] = url.split('?');
  return authorizer.authorize({ user, ...parseRequestInfo(method, path, new URLSearchParams(query)) }).verdict;
}

describe('the proxy to kubelets', () => {
  it("lets a node ask for its own kubelet's health, as a joining machine does", () => {
    assert.equal(verdict('GET', '/api/v1/nodes/node-1/proxy/healthz'), 'allow');
  });

  const refused: [method: string, path: string][] = [
    ['GET', '/api/v1/nodes/node-2/proxy/healthz'],
    ['GET', '/api/v1/nodes/node-1/proxy/pods'],
    ['GET', '/api/v1/nodes/node-1/proxy/healthz/../exec/default/pod/container'],
    ['GET', '/api/v1/nodes/node-1:10250/proxy/healthz'],
    ['POST', '/api/v1/nodes/node-1/proxy/healthz'],
    ['GET', '/api/v1/nodes/node-1/proxy/'],
  ];
  for (const [method, path] of refused) {
    it(`refuses a node ${method} ${path}`, () => assert.equal(verdict(method, path), 'noOpinion'));
  }
});

it('lets the kube-proxy of a node, which has its credentials, follow all nodes: their addresses are its routes', () => {
  for (const path of ['/api/v1/nodes', '/api/v1/nodes?watch=true', '/api/v1/nodes/node-2'])
    assert.equal(verdict('GET', path), 'allow', path);
});

it('lets the kube-proxy of a node follow the ranges of Services, and no more of them', () => {
  const path = '/apis/networking.k8s.io/v1/servicecidrs';
  for (const url of [path, `${path}?watch=true`]) assert.equal(verdict('GET', url), 'allow', url);
  for (const method of ['POST', 'DELETE']) assert.equal(verdict(method, path), 'noOpinion', method);
});
