/**
 * Reading the query of a request: texts, made into what they stand for.
 */
import { Fields } from './fields.js';

/** How a parameter is written. Lists are separated by commas, or the parameter is repeated. */
export type ParameterForm = 'text' | 'count' | 'flag' | 'texts';

/** The parameters as values; see {@link Fields}. @throws invalid-argument for unknown ones */
export function queryFields(
  parameters: Readonly<Record<string, readonly string[]>>,
  forms: Readonly<Record<string, ParameterForm>>,
): Fields {
  const known = Object.keys(forms);
  const values = new Map<string, unknown>();
  for (const [name, texts] of Object.entries(parameters)) {
    values.set(name, valueOf(texts, forms[name] ?? 'text'));
  }
  const fields = new Fields('the query', Object.fromEntries(values), known);
  for (const [name, texts] of Object.entries(parameters)) {
    if (forms[name] !== 'texts' && texts.length > 1) {
      throw fields.fault(name, `is there ${texts.length} times`, 'give it once');
    }
  }
  return fields;
}

/** What does not fit the form stays a text, and is refused by who reads it. */
function valueOf(texts: readonly string[], form: ParameterForm): unknown {
  const [text = ''] = texts;
  switch (form) {
    case 'text':
      return text;
    case 'count':
      return /^\d{1,16}$/.test(text) ? Number(text) : text;
    case 'flag':
      return text === 'true' || text === '' ? true : text === 'false' ? false : text;
    case 'texts':
      return texts.flatMap((part) => part.split(',')).filter((part) => part !== '');
  }
}
