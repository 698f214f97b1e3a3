import { Failure } from '../cluster/failure.js';
import { objectName, type ResourceMapper } from '../resource-mapper.js';
import type { AnyObject } from '../server-api.js';
import { CustomColumns } from './custom-columns.js';
import { goJson } from './json.js';
import { JsonPath } from './jsonpath.js';

/** Writes one object, or a List of them, as text without the last line's end. */
export type ObjectPrinter = (object: AnyObject, isList: boolean) => Promise<string> | string;

export interface PrinterOptions {
  readonly showManagedFields?: boolean;
  readonly headers?: boolean;
  readonly mapper?: ResourceMapper;
  readonly readFile?: (path: string) => string;
  /** Of --template. */
  readonly template?: string | undefined;
  /** Whether a template may name what is not there; true by default. */
  readonly allowsMissing?: boolean;
}

const formats =
  'custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml';

/** A template writes exactly what it says; every other format ends its last line. */
export const isTemplate = (format: string | undefined): boolean =>
  /^(jsonpath|jsonpath-file|go-template|go-template-file|template|templatefile)(=|$)/.test(format ?? '');

/** The printer for `-o`, or undefined for tables (no format, or wide). @throws Failure for an unknown format. */
export function objectPrinter(format: string | undefined, options: PrinterOptions = {}): ObjectPrinter | undefined {
  if (format === undefined || format === '' || format === 'wide') return undefined;
  const clean = (object: AnyObject): AnyObject => (options.showManagedFields ? object : withoutManagedFields(object));
  const at = format.indexOf('=');
  const [name, argument] = at < 0 ? [format, undefined] : [format.slice(0, at), format.slice(at + 1)];
  switch (name) {
    case 'json':
      return (object) => goJson(clean(object), 4);
    case 'yaml':
      return async (object) => {
        const { formatManifest } = await import('../../shared/manifest/format.js');
        return formatManifest(clean(object)).trimEnd();
      };
    case 'kyaml':
      return async (object) => {
        const { formatKyaml } = await import('./kyaml.js');
        return formatKyaml(clean(object));
      };
    case 'name':
      return (object) => namesOf(object, options.mapper);
    default:
      return templatePrinter(name, argument, { ...options, format });
  }
}

interface TemplateOptions extends PrinterOptions {
  readonly format: string;
}

function templatePrinter(name: string, argument: string | undefined, options: TemplateOptions): ObjectPrinter {
  const { format, headers = true, readFile, allowsMissing = true } = options;
  const text = name.endsWith('-file') && argument !== undefined ? readFile?.(argument) : argument;
  switch (name) {
    case 'go-template':
    case 'go-template-file':
    case 'template':
    case 'templatefile': {
      const template = name === 'templatefile' ? readFile?.(argument ?? '') : (text ?? options.template);
      if (!template) throw new Failure(`template format specified but no template given`);
      return async (object) => {
        const { GoTemplate } = await import('./go-template.js');
        return GoTemplate.parse(template).render(object, allowsMissing);
      };
    }
    case 'jsonpath':
    case 'jsonpath-file':
    case 'jsonpath-as-json': {
      if (!text) throw new Failure(`template format specified but no template given`);
      const path = JsonPath.parse(text);
      if (name === 'jsonpath-as-json')
        return (object) => explained(text, () => goJson(path.find(object, allowsMissing), 4));
      return (object) => explained(text, () => path.render(object, allowsMissing));
    }
    case 'custom-columns':
    case 'custom-columns-file': {
      if (!text) throw new Failure(`custom-columns format specified but no custom columns given`);
      const columns = name === 'custom-columns' ? CustomColumns.parse(text) : CustomColumns.parseFile(text);
      return (object, isList) => columns.print(isList ? (object['items'] as AnyObject[]) : [object], headers);
    }
    default:
      throw new Failure(
        `unable to match a printer suitable for the output format "${format}", allowed formats are: ${formats}`,
      );
  }
}

function explained(template: string, render: () => string): string {
  try {
    return render();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const more = `Printing more information for debugging the template:\n\ttemplate was:\n\t\t${template}`;
    throw new Failure(
      `error executing jsonpath ${JSON.stringify(template)}: Error executing template: ${error.message}. ${more}`,
    );
  }
}

function namesOf(object: AnyObject, mapper: ResourceMapper | undefined): string {
  const objects = Array.isArray(object['items']) ? (object['items'] as AnyObject[]) : [object];
  return objects.map((each) => nameOf(each, mapper)).join('\n');
}

/** `deployment.apps/web` of an object as it came from the server. */
export function nameOf(object: AnyObject, mapper?: ResourceMapper): string {
  const type = mapper?.forKind(object.apiVersion, object.kind);
  if (type) return objectName(type, object.metadata.name ?? '');
  const [group = ''] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : [''];
  return `${object.kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${object.metadata.name ?? ''}`;
}

/** The same object, or list, without the bookkeeping of who set which field. */
export function withoutManagedFields(object: AnyObject): AnyObject {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  const items = object['items'];
  if (Array.isArray(items)) return { ...object, items: (items as AnyObject[]).map(withoutManagedFields) };
  return { ...object, metadata };
}
