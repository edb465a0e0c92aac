package balancing_test

import (
	"context"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/balancing"
	"example.com/streams/07-production/balancing/internal/fleet"
	"example.com/streams/internal/memserver/memservertest"
)

func TestPickFirst_AllClientsChooseTheSameServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, &fleet.Fleet{}, "a", "b", "c")
		follow(t, f, balancing.PickFirst, 120, 1)
		require.Equal(t, []int64{120, 0, 0}, f.Streams("a", "b", "c"))
		require.Equal(t, []int64{120, 0, 0}, f.Connections("a", "b", "c"))
		client(t, f, `{}`, 1) // the default
		require.Equal(t, []int64{121, 0, 0}, f.Connections("a", "b", "c"))
	})
}

func TestPickFirst_SkipsAnAddressThatRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, &fleet.Fleet{Unlist: time.Hour}, "a", "b", "c")
		f.Signal("a")
		f.Wait("a") // a is still listed
		client(t, f, balancing.PickFirst, 1)
		require.Equal(t, []int64{0, 1, 0}, f.Streams("a", "b", "c"))
	})
}

func TestPolicies_SpreadManyClients(t *testing.T) {
	for name, connections := range map[string]int64{"shuffled": 120, "round_robin": 360, "least_request": 360} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := start(t, &fleet.Fleet{}, "a", "b", "c")
				for range 120 {
					client(t, f, policies[name], 1)
				}
				requireSpread(t, f.Streams("a", "b", "c"))
				open := f.Connections("a", "b", "c")
				require.Equal(t, connections, open[0]+open[1]+open[2])
			})
		})
	}
}

// A client that opens its stream at once does not wait for a second
// connection.
func TestRoundRobin_FirstStreamUsesTheFirstConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, &fleet.Fleet{}, "a", "b", "c")
		for range 10 {
			conn, err := f.Dial(balancing.RoundRobin, grpc.WithContextDialer(
				func(ctx context.Context, name string) (net.Conn, error) {
					if name != "b" {
						time.Sleep(time.Millisecond) // a and c are farther away
					}
					return f.DialContext(ctx, name)
				}))
			require.NoError(t, err)
			f.FollowOn(conn, 1)
		}
		time.Sleep(time.Second)
		require.Equal(t, []int64{0, 10, 0}, f.Streams("a", "b", "c"))
		require.Equal(t, []int64{10, 10, 10}, f.Connections("a", "b", "c"))
	})
}

func TestPolicies_SpreadTheStreamsOfOneClient(t *testing.T) {
	for name, want := range map[string][]int64{
		"pick_first": {0, 0, 30}, "shuffled": {0, 0, 30}, "round_robin": {10, 10, 10}, "least_request": {10, 10, 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := start(t, &fleet.Fleet{}, "a", "b", "c")
				client(t, f, policies[name], 30)
				got := slices.Sorted(slices.Values(f.Streams("a", "b", "c")))
				if name == "least_request" { // compares servers that it draws at random
					require.InDeltaSlice(t, want, got, 3)
					return
				}
				require.Equal(t, want, got)
			})
		})
	}
}

// No connection ends or fails, so the client does not ask for the addresses
// again.
func TestPolicies_NoneUsesAServerThatJoins(t *testing.T) {
	for name, config := range policies {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := start(t, &fleet.Fleet{}, "a", "b")
				conn := client(t, f, config, 30)
				f.Start("c")
				time.Sleep(time.Hour)
				more(f, conn, 30)
				require.Equal(t, []int64{0}, f.Streams("c"))
				require.Equal(t, []int64{0}, f.Connections("c"))
			})
		})
	}
}

// If somebody tells the client about the server, new streams use it.
func TestPolicies_OldStreamsStay(t *testing.T) {
	for name, want := range map[string][]int64{
		"pick_first": {60, 0, 0}, "round_robin": {25, 25, 10}, "least_request": {20, 20, 20},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := start(t, &fleet.Fleet{}, "a", "b")
				conn := client(t, f, policies[name], 30)
				before := f.Streams("a", "b")
				f.Start("c")
				f.Tell()
				time.Sleep(time.Hour)
				require.Equal(t, append(before, 0), f.Streams("a", "b", "c"))
				more(f, conn, 30)
				require.Equal(t, want, f.Streams("a", "b", "c"))
			})
		})
	}
}

func TestHealth_OnlyWhoChecksItAvoidsAServer(t *testing.T) {
	for name, tt := range map[string]struct {
		config string
		want   []int64
	}{
		"round_robin with healthCheckConfig": {balancing.HealthyRoundRobin, []int64{10, 25, 25}},
		"round_robin":                        {balancing.RoundRobin, []int64{20, 20, 20}},
		"pick_first with healthCheckConfig": {
			`{"loadBalancingConfig": [{"pick_first": {}}], "healthCheckConfig": {"serviceName": ""}}`,
			[]int64{60, 0, 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := start(t, &fleet.Fleet{LameDuck: 2 * time.Hour}, "a", "b", "c")
				conn := client(t, f, tt.config, 30)
				before := f.Streams("a", "b", "c")
				f.Signal("a") // a reports NOT_SERVING, and goes on
				time.Sleep(time.Hour)
				require.Equal(t, before, f.Streams("a", "b", "c"), "open streams stay")
				more(f, conn, 30)
				require.Equal(t, tt.want, f.Streams("a", "b", "c"))
			})
		})
	}
}

func TestHealth_ServerThatOffersNoneIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memservertest.Serve(t, func(r grpc.ServiceRegistrar) {
			logsv1.RegisterLogServiceServer(r, &logs.LogServer{Log: logs.NewLog(1)})
		})
		conn := server.Dial(t, grpc.WithDefaultServiceConfig(balancing.HealthyRoundRobin))
		for _, err := range logs.Tail(t.Context(), logsv1.NewLogServiceClient(conn), &logsv1.LogRequest{}) {
			require.NoError(t, err)
		}
	})
}
