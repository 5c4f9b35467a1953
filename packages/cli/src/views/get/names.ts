/**
 * Names of what objects refer to by id.
 */
import { hostnameOf, Network, Node, Service, type StoredObject } from '@skep/api';
import type { View } from '@skep/store';

/** Host name of a node; its id when it is gone; `-` without one. */
export function nodeNameOf(view: View, id: string | undefined): string {
  if (id === undefined || id === '') return '-';
  const node = view.get(Node, id);
  return node === undefined ? id : hostnameOf(node);
}

/** Name of a network; its id when it is gone. */
export function networkNameOf(view: View, id: string): string {
  return view.get(Network, id)?.meta.name ?? id;
}

/** Name of a service; its id when it is gone. */
export function serviceNameOf(view: View, id: string): string {
  return view.get(Service, id)?.meta.name ?? id;
}

/** Name of an object for people: its name, else its id. */
export function nameOf({ meta }: StoredObject): string {
  return meta.name === '' ? meta.id : meta.name;
}
