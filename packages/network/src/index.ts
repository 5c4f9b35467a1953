/** Addresses, VIPs, ports, load-balancer tables, their renderers and the packet interpreter. */
export type { NetworkChange, NodeNetworkState } from './state.js';

// Allocation: addresses, subnets, ports, VXLAN ids.
export { AddressSpace } from './ipam/address-space.js';
export type { AddressSpaceOptions, TakeResult } from './ipam/address-space.js';
export { formatIp, formatIpv4, parseIp, parseIpv4, withoutPrefix } from './ipam/ip-address.js';
export type { AddressBits, IpAddress } from './ipam/ip-address.js';
export {
  arePrefixesOverlapping,
  compareAddresses,
  comparePrefixes,
  formatPrefix,
  holdsAddress,
  holdsPrefix,
  lastOf,
  parsePrefix,
  prefixOf,
  prefixSize,
} from './ipam/ip-prefix.js';
export type { IpPrefix } from './ipam/ip-prefix.js';
export { SparseBitmap } from './ipam/sparse-bitmap.js';
export { SUBNET6_PREFIX, SUBNET_PREFIX_MAX, SubnetPool, poolsOf } from './ipam/subnet-pool.js';
export type { AddressPool, SubnetRequest } from './ipam/subnet-pool.js';
export {
  allocatePorts,
  arePortsAllocated,
  claimsOf,
  matchPorts,
  releaseClaim,
} from './ports/port-allocation.js';
export type { PortAllocation, PortFailure } from './ports/port-allocation.js';
export { PORT_MAX, PORT_PROTOCOLS, PortSpace, portSpaces } from './ports/port-space.js';
export type { PortClaim, PortSpaces, PublishMode } from './ports/port-space.js';
export { SerialSpace } from './ports/serial-space.js';
export type { SerialRange } from './ports/serial-space.js';
export { VXLAN_IDS, VXLAN_ID_OPTION, VxlanIdSpace, wantedVxlanIds } from './ports/vxlan-ids.js';

// How connections are distributed.
export { apportion } from './algorithm/apportion.js';
export { unsupportedBy } from './algorithm/capability.js';
export type { Unsupported } from './algorithm/capability.js';
export { MAGLEV_SIZE, MAGLEV_SIZES, maglevTable } from './algorithm/maglev.js';
export type { MaglevBackend } from './algorithm/maglev.js';
export {
  SLOW_START_STEPS,
  WEIGHT_MAX,
  slowStartFactor,
  slowStartWeight,
} from './algorithm/slow-start.js';
export type { SlowStart, WeightAt } from './algorithm/slow-start.js';

// Tables: what a node has to hold.
export { buildTables } from './table/build.js';
export { macOf } from './table/ip.js';
export { applyTableDiff, diffTables, headerOf, isEmptyDiff } from './table/diff.js';
export type { NetworkDiff, TableDiff } from './table/diff.js';
export { FIRST_MARK, HOST_PORTS, createNodeLocal, hostPortsOf } from './table/node-local.js';
export type { NodeLocal, NodeLocalOptions } from './table/node-local.js';
export { planNodeLocal } from './table/node-local-plan.js';
export { portKey, serviceKey } from './table/node-tables.js';
export type {
  GatewayBridge,
  HostTable,
  IngressPort,
  NetworkHeader,
  NetworkTable,
  NodeTables,
  PublishedPort,
  SandboxEndpoint,
  TableBackend,
  TableContent,
  TableIndex,
  TablePeer,
  TableSubnet,
  TaskSandbox,
  VipTable,
} from './table/node-tables.js';
export type { SliceIndex } from './table/slice-index.js';
export { SortedMap } from './table/sorted-map.js';
export type { MapChange } from './table/sorted-map.js';
export { updateTables } from './table/update.js';

// Text: what the kernel's tools read.
export { renderDiff, renderNode } from './ipvs/render.js';
export { expectedBackends } from './nft/expected.js';
export type { ExpectedBackends, TablePacket } from './nft/expected.js';
export { renderNftables, renderNftablesChunks, renderNftablesDiff } from './nft/render.js';
export { TURN_SERVICES_MAX } from './nft/service.js';
export { SHARE_ERROR_MAX } from './nft/slots.js';
export { TRANSACTION_SERVICES_MAX } from './nft/transaction.js';
export {
  HOST_NAMESPACE,
  TOOLS,
  bridgeNamespace,
  sandboxNamespace,
  taskNamespace,
  textOf,
} from './render/rendered.js';
export type {
  NamespaceKind,
  NamespaceReference,
  NamespaceTexts,
  RenderedNamespace,
  RenderedStep,
  Tool,
} from './render/rendered.js';

// Packets over the text.
export { loadRecorded, recordedReference } from './interpreter/recorded.js';
export type { RecordedNamespace } from './interpreter/recorded.js';
export type { Endpoint, PacketProtocol } from './interpreter/packet.js';
export type { Delivery, Hop, HopHook, PacketResult } from './interpreter/result.js';
export { connect, sendPacket } from './interpreter/send.js';
export type { ConnectInput, ConnectResult, PacketInput, PacketOrigin } from './interpreter/send.js';
export { World } from './interpreter/world.js';
export type { NodeInput, Plug, WorldNamespace, WorldNode } from './interpreter/world.js';

// Names, and the messages in which they are asked for.
export { answerQuery, failedForward } from './dns/answer.js';
export type { DnsOutcome, DnsSurroundings } from './dns/answer.js';
export {
  FORWARDED_MAX,
  FORWARD_WAIT_MS,
  UPSTREAMS_MAX,
  UPSTREAM_TIMEOUT_MS,
  nextForwardStep,
} from './dns/forwarding.js';
export type { ForwardStep, UpstreamOutcome } from './dns/forwarding.js';
export { decodeQuery } from './dns/message.js';
export type { DnsQuery, DnsTransport } from './dns/message.js';
export type { NameClaims } from './names/name-claims.js';
export { buildNameView, updateNameView } from './names/name-view.js';
export type { NameClient, NameRecord, NameView, NetworkNames } from './names/name-view.js';
export { resolveName } from './names/resolve.js';
export type { AnswerRecord, NameAnswer, NameAsker, NameQuery } from './names/resolve.js';
export { reverseAddress, reverseName } from './names/reverse-name.js';

// Pictures for people.
export { renderDrawing } from './describe/drawing.js';
export type { DrawingInput } from './describe/drawing.js';
export { renderConnection, renderHops } from './describe/hops-text.js';
export type { RenderHopsOptions } from './describe/hops-text.js';
export { renderNodeMap } from './describe/node-map.js';
export type { Names } from './describe/node-map.js';
export { renderTables } from './describe/node-tables-text.js';
export type { RenderTablesOptions } from './describe/node-tables-text.js';
export { tablesJson } from './describe/tables-json.js';
export type { TablesJsonOptions } from './describe/tables-json.js';
export { textTable } from './describe/text-table.js';
export type { TextTableOptions } from './describe/text-table.js';
