/** What the tests of those who start the server compare their command lines and files with. */
export { readAuditPolicy } from '../audit/policy.js';
export { identityFlags } from '../identity-flags.js';
export { servingFlags } from '../serving-flags.js';
