import { ingressclasses } from '../../shared/api/generated/resources.js';
import type { Ingress } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { ObjectReader } from '../registry/object-reader.js';
import type { AdmissionPlugin } from './admission.js';
import { newest } from './resource-match.js';

const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';
const oldAnnotation = 'kubernetes.io/ingress.class';

/** An Ingress that names no class gets the default one. */
export function defaultIngressClass(objects: ObjectReader): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    mutate: ({ operation, definition, subresource, object }) => {
      const { group, resource } = definition.resource;
      const isIngress = resource === 'ingresses' && (group === 'networking.k8s.io' || group === 'extensions');
      if (operation !== 'CREATE' || !isIngress || subresource !== '') return;
      const ingress = object as unknown as Ingress & KubernetesObject;
      if (ingress.spec?.ingressClassName !== undefined) return;
      if (ingress.metadata.annotations?.[oldAnnotation] !== undefined) return;
      const defaults = objects
        .list(ingressclasses)
        .filter(({ metadata }) => metadata.annotations?.[defaultAnnotation] === 'true');
      const found = newest(defaults);
      if (found) (ingress.spec ??= {}).ingressClassName = found.metadata.name;
    },
  };
}
