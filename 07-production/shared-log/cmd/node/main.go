// Command node runs a node of the engine, NATS JetStream, until a signal.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	sharedlog "example.com/streams/07-production/shared-log"
	"example.com/streams/internal/cli"
)

var (
	name   = flag.String("name", "n1", "the `name` of the node, which no other node has")
	dir    = flag.String("dir", "", "keep the log in this `directory`")
	addr   = flag.String("addr", "localhost:4222", "listen for clients on `host:port`")
	peer   = flag.String("peer", "", "listen for the other nodes on `host:port` (default: this node is alone)")
	peers  = flag.String("peers", "", "the `host:port` of -peer of all nodes, separated by commas")
	always = flag.Bool("sync-always", false, "write each entry to the disk before it is confirmed")
)

func main() { os.Exit(cli.Main("node [flags]", run)) }

func run(ctx context.Context) error {
	if err := cli.NoArgs(); err != nil {
		return err
	}
	switch {
	case *dir == "":
		return cli.Usagef("-dir: must not be empty")
	case (*peer == "") != (*peers == ""):
		return cli.Usagef("-peer and -peers: must be given both, or none")
	}
	conf := sharedlog.NodeConfig{Name: *name, Dir: *dir, Addr: *addr, Peer: *peer, SyncAlways: *always}
	if *peers != "" {
		conf.Peers = strings.Split(*peers, ",")
	}
	node, err := sharedlog.StartNode(conf)
	if err != nil {
		return err
	}
	defer node.Close()
	fmt.Fprintln(os.Stderr, "node: listening on", node.URL())
	<-ctx.Done()
	return ctx.Err()
}
