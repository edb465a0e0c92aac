package sharedlog

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// A Node is a NATS server in this process: the engine, or one of the nodes
// that are the engine together. Methods may be called concurrently.
type Node struct{ server *server.Server }

// NodeConfig is what a node needs to know.
type NodeConfig struct {
	Name string // unique among the nodes; default: "n1"
	Dir  string // keeps the files of the node; must not be empty
	Addr string // host:port for clients; empty: only for this process

	// Peer is host:port for the other nodes, and Peers are those of all
	// nodes. Empty: this node is alone.
	Peer  string
	Peers []string

	// SyncAlways makes the node write an entry to the disk before it
	// confirms the entry. Otherwise the operating system has it, and the
	// node syncs every 2 minutes.
	SyncAlways bool
}

// StartNode starts a node. The caller calls [Node.Close]. With peers, the
// engine confirms no entry of a log that several nodes keep unless most of
// these run.
func StartNode(conf NodeConfig) (*Node, error) {
	if conf.Dir == "" { // NATS would take one that all nodes share
		return nil, errors.New("dir: must not be empty")
	}
	if conf.Name == "" {
		conf.Name = "n1"
	}
	options := &server.Options{
		ServerName: conf.Name, JetStream: true, StoreDir: conf.Dir, SyncAlways: conf.SyncAlways,
		DontListen: conf.Addr == "", NoSigs: true, NoLog: true,
	}
	var err error
	if conf.Addr != "" {
		if options.Host, options.Port, err = splitAddr(conf.Addr); err != nil {
			return nil, err
		}
	}
	if conf.Peer != "" {
		options.Cluster.Name = "shared-log"
		if options.Cluster.Host, options.Cluster.Port, err = splitAddr(conf.Peer); err != nil {
			return nil, err
		}
	}
	for _, peer := range conf.Peers {
		options.Routes = append(options.Routes, &url.URL{Scheme: "nats", Host: peer})
	}
	s, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("node %s: %w", conf.Name, err)
	}
	s.Start()
	n := &Node{s}
	if !s.ReadyForConnections(10 * time.Second) {
		n.Close()
		return nil, fmt.Errorf("node %s does not accept connections", conf.Name)
	}
	return n, nil
}

// Close stops the node, and waits until it has ended.
func (n *Node) Close() {
	n.server.Shutdown()
	n.server.WaitForShutdown()
}

// URL returns the address for clients, for [Connect].
func (n *Node) URL() string { return n.server.ClientURL() }

// Connect returns a connection to the node, in memory. The caller closes it.
func (n *Node) Connect() (*nats.Conn, error) { return connect("", nats.InProcessServer(n.server)) }

// Connect returns a connection to one of the nodes at the URLs, which commas
// separate. If the connection fails, it is made again, to any of
// the nodes. Connect waits at most for
// one attempt at each URL, not for the first connection. The caller closes the connection.
func Connect(urls string) (*nats.Conn, error) {
	if strings.TrimSpace(urls) == "" {
		return nil, errors.New("urls: must not be empty")
	}
	return connect(urls)
}

func connect(urls string, more ...nats.Option) (*nats.Conn, error) {
	return nats.Connect(urls, append([]nats.Option{
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(retryDelay), nats.ReconnectJitter(retryDelay, retryDelay),
		nats.Timeout(requestTimeout),
		nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2),
		nats.ReconnectBufSize(-1), // an attempt without a connection fails at once
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // the default prints what we repeat
	}, more...)...)
}

func splitAddr(addr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	if port, err = strconv.Atoi(text); err != nil {
		return "", 0, fmt.Errorf("address %s: %w", addr, err)
	}
	if port == 0 {
		port = server.RANDOM_PORT // for NATS, 0 is its default port
	}
	return host, port, nil
}
