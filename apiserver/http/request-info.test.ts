import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { StatusError } from '../../shared/errors/status-error.js';
import { parseRequestInfo } from './request-info.js';

function shown(method: string, url: string): string {
  const [path = '', query = ''] = url.split('?');
  const info = parseRequestInfo(method, path, new URLSearchParams(query));
  if (!info.isResourceRequest) return `${info.verb} path`;
  const { verb, group, version, resource, subresource, namespace = '-', name, rest } = info;
  return `${verb} ${group}/${version} ${resource}|${subresource} ${namespace} ${name} ${rest}`.trim();
}

describe('parseRequestInfo', () => {
  const table: [method: string, url: string, expected: string][] = [
    ['GET', '/api/v1/pods', 'list /v1 pods| -'],
    ['GET', '/api/v1/pods?watch=true', 'watch /v1 pods| -'],
    ['GET', '/api/v1/pods?watch=0', 'list /v1 pods| -'],
    ['GET', '/api/v1/watch/namespaces/a/pods', 'watch /v1 pods| a'],
    ['GET', '/api/v1/namespaces', 'list /v1 namespaces| -'],
    ['GET', '/api/v1/namespaces/a', 'get /v1 namespaces| a a'],
    ['PUT', '/api/v1/namespaces/a/finalize', 'update /v1 namespaces|finalize a a'],
    ['POST', '/api/v1/namespaces/a/pods', 'create /v1 pods| a'],
    ['DELETE', '/api/v1/namespaces/a/pods', 'deletecollection /v1 pods| a'],
    ['DELETE', '/api/v1/namespaces/a/pods/p', 'delete /v1 pods| a p'],
    ['PATCH', '/apis/apps/v1/namespaces/a/deployments/d/scale', 'patch apps/v1 deployments|scale a d'],
    ['GET', '/api/v1/namespaces/a/services/https:s:80/proxy/x%2Fy/z', 'get /v1 services|proxy a https:s:80 /x%2Fy/z'],
    ['GET', '/apis/apps/v1', 'get path'],
    ['GET', '/version', 'get path'],
    ['POST', '/apis', 'post path'],
  ];
  for (const [method, url, expected] of table) {
    it(`${method} ${url}`, () => assert.equal(shown(method, url), expected));
  }

  it('never fails but with a 400, and never lets a name leave its place', () => {
    fc.assert(
      fc.property(fc.webPath({ size: 'small' }), fc.constantFrom('GET', 'POST', 'DELETE', 'BREW'), (path, method) => {
        try {
          const { name, namespace = '' } = parseRequestInfo(method, `/api/v1/namespaces${path}`, new URLSearchParams());
          assert.ok(!/[/%\0]/.test(name + namespace) && name !== '..' && namespace !== '..');
        } catch (error) {
          assert.ok(error instanceof StatusError && error.code === 400);
        }
      }),
    );
  });
});
