/**
 * What `--help` teaches, beyond the list of options.
 */

/** Texts below the options of `skep` and of each command. */
export const HELP = Object.freeze({
  skep: `
Begin here:
  skep simulate -f stack.yml            run a stack on simulated nodes, and see what happens
  skep simulate -f stack.yml --nodes 5 --seed 7 --json
  skep validate -f stack.yml            everything that is wrong with it, with line and column
  skep convert -f stack.yml --stack st  the requests that 'docker stack deploy' would send

Exit codes:
  0   as asked
  1   the cluster does not settle as declared; all reasons are printed
  2   bad input: a file, or an option; nothing was done
  70  a fault of skep itself

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
(spec: addressPools, subnetPrefix, taskHistoryLimit, …).

Containers start and run on. With --missing-files empty each missing file below the working
directory is one line break. The run ends when nothing is left to do but to wait, or after --limit
seconds of virtual time. When it does not end as declared, each pending task is listed with what
every node lacks (exit code 1).
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
});
