import { volumeattachments } from '../../shared/api/generated/resources.js';
import type { VolumeAttachment } from '../../shared/api/generated/types.js';
import { validateAttachmentUpdate, validateNewAttachment } from '../validation/storage.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

export const volumeAttachmentDefinition = defineKind<VolumeAttachment>({
  resource: volumeattachments,
  subresources: ['status'],
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn(),
    column('Attacher', ({ spec }) => spec.attacher, {
      format: 'name',
      description:
        'attacher indicates the name of the volume driver that MUST handle this request. This is the name returned by GetPluginName().',
    }),
    column('PV', ({ spec }) => spec.source?.persistentVolumeName ?? '', {
      description: 'persistentVolumeName represents the name of the persistent volume to attach.',
    }),
    column('Node', ({ spec }) => spec.nodeName, {
      description: 'nodeName represents the node that the volume should be attached to.',
    }),
    column('Attached', ({ status }) => status?.attached ?? false, {
      type: 'boolean',
      description:
        'attached indicates the volume is successfully attached. This field must only be set by the entity completing the attach operation, i.e. the external-attacher.',
    }),
    ageColumn(),
  ],
  strategy: {
    defaults: (attachment) => {
      attachment.spec ??= { attacher: '', nodeName: '', source: {} };
      attachment.status ??= { attached: false };
      attachment.status.attached ??= false;
    },
    prepareForCreate: (attachment) => {
      attachment.status = { attached: false };
    },
    validate: validateNewAttachment,
    validateUpdate: validateAttachmentUpdate,
    validateStatusUpdate: validateAttachmentUpdate,
  },
});
