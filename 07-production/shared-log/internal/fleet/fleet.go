package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// A Fleet is the nodes of an engine, and servers of a log, as processes. Its
// methods must not be called concurrently.
type Fleet struct {
	Nodes   []*Process // "n1", "n2", ...
	Servers []*Process // "a", "b", ...
	URLs    string     // of the nodes
	Addrs   []string   // of the servers
}

// Build builds the commands node and server, and returns the folder with
// the executables. The caller removes the folder.
func Build(ctx context.Context) (dir string, err error) {
	dir, err = os.MkdirTemp("", "shared-log")
	if err != nil {
		return "", err
	}
	const module = "example.com/streams/07-production/shared-log"
	cmd := exec.CommandContext(ctx, "go", "build", "-o", dir+string(filepath.Separator), module+"/cmd/node", module+"/cmd/server")
	if out, err := cmd.CombinedOutput(); err != nil {
		_ = os.RemoveAll(dir) // what go build says is worth more
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return dir, nil
}

// Start starts nodes, each of which keeps the log in a folder below dir, and
// servers. bin is the folder with the executables. The caller calls
// [Fleet.Close]; also ctx ends the processes.
func Start(ctx context.Context, bin, dir string, nodes, servers int) (*Fleet, error) {
	ports, err := freePorts(2*nodes + servers)
	if err != nil {
		return nil, err
	}
	f := &Fleet{Addrs: ports[2*nodes:]}
	addrs, peers := ports[:nodes], ports[nodes:2*nodes]
	f.URLs = "nats://" + strings.Join(addrs, ",nats://")
	for i := range nodes {
		name := fmt.Sprint("n", i+1)
		args := []string{"-name", name, "-addr", addrs[i], "-dir", filepath.Join(dir, name)}
		if nodes > 1 {
			args = append(args, "-peer", peers[i], "-peers", strings.Join(peers, ","))
		}
		f.Nodes = append(f.Nodes, &Process{Name: name, executable: filepath.Join(bin, "node"), args: args})
	}
	for i, addr := range f.Addrs {
		f.Servers = append(f.Servers, &Process{
			Name: string(rune('a' + i)), executable: filepath.Join(bin, "server"),
			args: []string{"-addr", addr, "-nats", f.URLs, "-nodes", fmt.Sprint(nodes)},
		})
	}
	for _, p := range append(f.Nodes, f.Servers...) {
		if err := p.Start(ctx); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}

// Close kills all processes.
func (f *Fleet) Close() (err error) {
	for _, p := range append(f.Servers, f.Nodes...) {
		err = errors.Join(err, p.Kill())
	}
	return err
}

// AwaitServers waits until it has seen each server serve, or, without
// serving, each NOT_SERVING. It returns an error if ctx ends first.
func (f *Fleet) AwaitServers(ctx context.Context, serving bool) error {
	want := healthv1.HealthCheckResponse_NOT_SERVING
	if serving {
		want = healthv1.HealthCheckResponse_SERVING
	}
	for _, addr := range f.Addrs {
		if err := awaitHealth(ctx, addr, want); err != nil {
			return fmt.Errorf("server %s: %w", addr, err)
		}
	}
	return nil
}

func awaitHealth(ctx context.Context, addr string, want healthv1.HealthCheckResponse_ServingStatus) error {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	for {
		reply, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{}, grpc.WaitForReady(true))
		if err == nil && reply.GetStatus() == want {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// A Process is a command that can be killed and started again.
type Process struct {
	Name       string
	executable string
	args       []string
	running    *exec.Cmd // nil: it does not run
	stderr     *strings.Builder
}

// Start starts the process. When ctx ends, the process is killed.
func (p *Process) Start(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, p.executable, p.args...)
	p.stderr = &strings.Builder{}
	cmd.Stderr = p.stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	p.running = cmd
	return nil
}

// Kill kills the process, with SIGKILL where there are signals, and waits
// until it has ended. It returns an error if the process had failed by
// itself, and what it printed.
func (p *Process) Kill() error {
	if p.running == nil {
		return nil
	}
	err := p.running.Process.Kill()
	_ = p.running.Wait() // "signal: killed"
	if state := p.running.ProcessState; err != nil || state.Exited() && state.ExitCode() > 0 {
		err = fmt.Errorf("%s ended by itself: %v: %s", p.Name, state, p.stderr)
	}
	p.running = nil
	return err
}

// PID returns the id of the process, which must run.
func (p *Process) PID() int { return p.running.Process.Pid }

// freePorts returns addresses on which nobody listens. The ports are below
// those that Linux gives to clients, because a client could get the port of
// a process that is killed and starts again.
func freePorts(n int) (addrs []string, err error) {
	for range 1000 {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 10_000+rand.IntN(20_000)))
		if err != nil {
			continue // somebody listens there
		}
		defer l.Close()
		if addrs = append(addrs, l.Addr().String()); len(addrs) == n {
			return addrs, nil
		}
	}
	return nil, errors.New("no free ports between 10,000 and 30,000")
}
