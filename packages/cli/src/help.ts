/**
 * What `--help` teaches, beyond the list of options.
 */

const POLICIES =
  'swarm, least-allocated, most-allocated, balanced, kubernetes, dot-product, best-fit,\n' +
  'gpu-packing, gpu-clustering, fgd, random';

/** Texts below the options of `skep` and of each command. */
export const HELP = Object.freeze({
  skep: `
Begin here:
  skep simulate -f stack.yml            run a stack on simulated nodes, and see what happens
  skep simulate -f stack.yml --nodes 5 --seed 7 --json
  skep validate -f stack.yml            everything that is wrong with it, with line and column
  skep convert -f stack.yml --stack st  the requests that 'docker stack deploy' would send

On real hosts (Linux, root):
  skep doctor                           what this machine can do as a node, and what is missing
  skep up -f stack.yml --nodes 2 -d     a cluster on this machine; 'skep down' removes every trace
  skep status
  skep get services,tasks
  skep apply -f stack.yml --watch
  skep logs web -f
  skep describe task/web.1              why it is where it is, or why it waits

Look inside, a running cluster, or with -f a simulated one:
  skep tables node1                     what a node routes where
  skep dns vote --from client
  skep trace packet --to node1:8080
  skep map --format svg > map.svg
  skep why web.1                        which commits of which loops led to this task's state

Try policies:
  skep policy compare --trace trace.csv --policy swarm --policy ./mine.mjs -o report.html
  skep policy explain --trace trace.csv --policy ./mine.mjs --task web.3

Exit codes:
  0   as asked
  1   the cluster is not as declared (all reasons are printed), or has no answer
  2   bad input: a file, a name, or an option; nothing was done
  69  no cluster answers, or it may not be reached
  70  a fault of skep itself
  130 ended by Ctrl-C

A file is a Compose stack file, or holds manifests (apiVersion, kind, metadata, spec), several in
one file, parted by ---. Several -f merge as Compose does: later ones over earlier ones. '-f -' is
standard input. Results go to standard output, complaints to standard error as
FILE:LINE:COLUMN: error: FIELD: what is wrong (what would be right) [code].

'skep help COMMAND' says more about each command.
`,
  simulate: `
Nothing is installed, started or sent: nodes, containers and time are simulated. The manager's
loops, its scheduler and its tables are the real ones.

Examples:
  skep simulate -f stack.yml                       two nodes; how it ends
  skep simulate -f stack.yml --trace               and every step on the way
  skep simulate -f stack.yml -f production.yml     the second file changes the first
  skep simulate -f stack.yml --nodes 5 --provide-external --missing-files empty
                                                   a file that expects things to be there
  skep simulate -f stack.yml -f nodes.yml          with nodes of your own

Nodes have 4 CPUs, 8 GiB, linux/amd64 and the plugins of a plain engine. A Node manifest changes
the node of its name, or adds one:

  apiVersion: skep/v1
  kind: Node
  metadata: { name: node2, labels: { disk: ssd } }
  spec: { availability: active, description: { resources: { memoryBytes: 34359738368 } } }

The settings of the cluster are a manifest, too: kind Cluster, name default
(spec: addressPools, subnetPrefix, taskHistoryLimit, dataplane, …). --dataplane nftables goes before
it: the same stack, on other rules.

Containers start and run on. With --missing-files empty each missing file below the working
directory is one line break. The run ends when nothing is left to do but to wait, or after --limit
seconds of virtual time. When it does not end as declared, each pending task is listed with what
every node lacks (exit code 1).
`,
  doctor: `
Everything is tried in namespaces that are made for it and removed again; run it as root for the
whole answer. What is not needed costs only what it is for: without a limit, tasks run unlimited.

Examples:
  skep doctor
  skep doctor --json                        the same with every need, there or not
  skep doctor --docker-socket /run/user/1000/docker.sock

Exit code 1: this machine cannot be a node. The last lines say what to install.
`,
  validate: `
Says all that is wrong at once, errors first, and runs nothing. Exit code 0 when there is no error,
2 otherwise. What depends on a cluster (whether a port is free, whether a task fits) is not judged
here: 'skep simulate' tells.

Examples:
  skep validate -f stack.yml
  skep validate -f stack.yml --client       what only a manager refuses is let through
  skep validate -f stack.yml --json         { "valid", "objects", "complaints" } on standard output
`,
  convert: `
Forms:
  docker-api  a JSON array of the requests that 'docker stack deploy --resolve-image never' sends:
              method, path, body; sorted by path, then name. Objects that do not exist yet have the
              ids cfg_NAME and sec_NAME. Refuses what the Docker client refuses.
  manifest    the same objects in skep's own form, ready to be read with -f

Examples:
  skep convert -f stack.yml --stack st
  skep convert -f stack.yml --stack st --to manifest > st.yml
`,
  why: `
Goes back from the newest change of the object to the commit that no controller wrote: revision, who
wrote it, the rule, what changed, and what woke it. Of the running cluster, as far as its manager
remembers; with -f of simulated nodes, once they have settled.

Examples:
  skep why web                                            the newest change of a service
  skep why web -f stack.yml                               the same in a simulation
  skep why web.1 -f stack.yml --field status.nodeId       why is the task where it is?
  skep why web.1 -f stack.yml --change created            why is it there at all?
  skep why Network/web -f stack.yml --json                of several things with one name
`,
  tables: `
Of the running cluster: what its nodes say that they hold. With -f: of simulated nodes, once they
have settled. Numbers that each node chooses by itself (marks, addresses on its gateway bridge) are
chosen anew here.

Formats:
  table     published ports, and each network's virtual addresses with their backends
  ipvsadm   the text that 'ipvsadm --restore' is given, for each namespace
  nft       the text that 'nft -f' is given, for each namespace
  iptables  the text that 'iptables-restore --noflush' is given, for each namespace
  json      everything, for programs

Tables are the same for both dataplanes; ipvsadm and iptables are their texts for ipvs, nft for
nftables.

Examples:
  skep tables node1
  skep tables node1 -f stack.yml
  skep tables node2 -f stack.yml --network ingress --format ipvsadm
  skep tables node2 -f stack.yml --network ingress --format nft
`,
  dns: `
Answers as the resolver of the task's node does: of the running cluster from what the node holds,
with -f of simulated nodes, once they have settled.

Examples:
  skep dns vote --from client                         of the running cluster
  skep dns vote --from client -f stack.yml            the virtual address of a service
  skep dns tasks.vote --from client -f stack.yml      the addresses of its tasks
  skep dns 3.1.0.10.in-addr.arpa --type PTR --from client -f stack.yml
`,
  trace: `
Of the running cluster, or with -f of simulated nodes, once they have settled. Nothing is sent over
a real network: requests go through the very texts that the nodes' tools are given, and each step of
request and answer is told. In a running cluster every port of a task that runs counts as open.

Examples:
  skep trace packet --to node2:8080
  skep trace packet --to node2:8080 -f stack.yml
  skep trace packet --to http://vote/ --from client --count 4 -f stack.yml
  skep trace packet --to 10.0.1.2:53 --protocol udp --from client -f stack.yml
`,
  map: `
Draws nodes, sandboxes, networks, addresses and virtual addresses of the running cluster, or with -f
of simulated nodes once they have settled: as text, or as one SVG that needs nothing else.

Examples:
  skep map
  skep map -f stack.yml
  skep map -f stack.yml --format svg > map.svg
  skep map -f stack.yml --format svg --to node1:8080 > request.svg
`,
  policyCompare: `
Every policy plays the trace from its beginning: each task is placed when it arrives, or dropped
when no node takes it. The table tells how many found a place, how full the cluster is, how much of
the rest is of no use to typical tasks, and how many tasks sit on the fullest node.

Examples:
  skep policy compare --trace trace.csv                        the usual policies
  skep policy compare --trace trace.json --policy swarm --policy ./mine.mjs -o report.html
  skep policy compare --openb-nodes nodes.csv --openb-pods pods.csv --openb-orders orders.json \\
                      --seed 42 --policy fgd --policy best-fit --json

A trace is a csv file whose first line names its columns: event, name, count, cpus, memory, gpus,
models, labels, service, constraints, spread, maxPerNode:

  event,name,count,cpus,memory,gpus,labels
  node,n,3,8,32GiB,2,zone=a
  arrive,web,5,0.5,1GiB
  leave,web.2

or JSON: { "nodes": [{ "name": "n", "count": 3, "cpus": 8 }], "events": [{ "arrive": "web.1" }] }.

Policies: ${POLICIES}.
A module exports a policy (or a list, or a function of { trace, seed } that gives one) as default.
`,
  policyExplain: `
Plays the trace until the task arrives, and tells of every node what speaks for it and against it,
and what would have to be different for a task that finds no place. Exit code 1 when one of the
tasks has no place.

Examples:
  skep policy explain --trace trace.csv                        the first tasks without a place
  skep policy explain --trace trace.csv --task web.3 --policy ./mine.mjs --json
`,
});
