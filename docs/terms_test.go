package docs_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// These tests show sentences of glossary.md and choosing.md.

// A three sends three entries, waits for the end of the call, and then takes
// an hour to return.
type three struct{ logsv1.UnsafeLogServiceServer }

func (three) StreamLogs(_ *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry]) error {
	for range 3 {
		if err := stream.Send(&logsv1.LogEntry{}); err != nil {
			return err
		}
	}
	<-stream.Context().Done()
	time.Sleep(time.Hour)
	return nil
}

func registerThree(s grpc.ServiceRegistrar) { logsv1.RegisterLogServiceServer(s, three{}) }

func TestStop_WaitsForHandlersIfAsked(t *testing.T) {
	for _, asked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			server := memservertest.Serve(t, registerThree, grpc.WaitForHandlers(asked))
			stream, err := logsv1.NewLogServiceClient(server.Dial(t)).StreamLogs(t.Context(), &logsv1.LogRequest{})
			require.NoError(t, err)
			for range 3 {
				_, err = stream.Recv()
				require.NoError(t, err)
			}
			start := time.Now()
			server.Stop()
			require.Equal(t, map[bool]time.Duration{true: time.Hour}[asked], time.Since(start))
			_, err = stream.Recv()
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			time.Sleep(time.Hour) // until the handler returns
		})
	}
}

// A flood sends entries until Send fails, and counts them.
type flood struct {
	logsv1.UnsafeLogServiceServer
	sent *atomic.Int64
}

func newFlood() flood { return flood{sent: new(atomic.Int64)} }

func (f flood) register(s grpc.ServiceRegistrar) { logsv1.RegisterLogServiceServer(s, f) }

func (f flood) StreamLogs(_ *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry]) error {
	for ; ; f.sent.Add(1) {
		if err := stream.Send(&logsv1.LogEntry{Message: strings.Repeat("x", 1<<10)}); err != nil {
			return err
		}
	}
}

func TestCancel_LosesWhatHasNotArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, received := newFlood(), int64(0)
		client := logsv1.NewLogServiceClient(memservertest.Dial(t, f.register))
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := client.StreamLogs(ctx, &logsv1.LogRequest{})
		require.NoError(t, err)
		synctest.Wait() // until Send waits
		cancel()
		synctest.Wait() // until the handler has returned
		for {
			if _, err = stream.Recv(); err != nil {
				break
			}
			received++
		}
		require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
		require.Less(t, received, f.sent.Load())
	})
}

func TestReset_LeavesTheOtherStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := logsv1.NewLogServiceClient(memservertest.Dial(t, newFlood().register))
		ctx, cancel := context.WithCancel(t.Context())
		_, err := client.StreamLogs(ctx, &logsv1.LogRequest{})
		require.NoError(t, err)
		other, err := client.StreamLogs(t.Context(), &logsv1.LogRequest{})
		require.NoError(t, err)
		cancel()
		synctest.Wait()  // until the reset has arrived
		for range 1000 { // more than have arrived
			_, err = other.Recv()
			require.NoError(t, err)
		}
	})
}

// A ClientConn has no connection, then one, and two after a GOAWAY.
func TestGOAWAY_OldConnectionCarriesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memservertest.Serve(t, newFlood().register,
			grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: time.Minute}))
		dialed := 0
		conn := server.Dial(t, grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			dialed++
			return server.DialContext(ctx, addr)
		}))
		require.Zero(t, dialed)
		client := logsv1.NewLogServiceClient(conn)
		old, err := client.StreamLogs(t.Context(), &logsv1.LogRequest{})
		require.NoError(t, err)
		require.Equal(t, 1, dialed)
		time.Sleep(time.Hour)
		_, err = client.StreamLogs(t.Context(), &logsv1.LogRequest{})
		require.NoError(t, err)
		require.Equal(t, 2, dialed)
		for range 1000 {
			_, err = old.Recv()
			require.NoError(t, err)
		}
	})
}

// The address of the open stream leaves, and another one comes.
func TestBalancers_LeaveOpenStreamsAlone(t *testing.T) {
	for _, policy := range []string{"pick_first", "round_robin"} {
		synctest.Test(t, func(t *testing.T) {
			server := memservertest.Serve(t, newFlood().register)
			addresses := manual.NewBuilderWithScheme("list")
			list := func(addr string) resolver.State {
				return resolver.State{Endpoints: []resolver.Endpoint{{Addresses: []resolver.Address{{Addr: addr}}}}}
			}
			addresses.InitialState(list("a"))
			conn, err := grpc.NewClient("list:///", grpc.WithResolvers(addresses),
				grpc.WithContextDialer(server.DialContext), // ignores the address
				grpc.WithTransportCredentials(insecure.NewCredentials()),
				grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"`+policy+`": {}}]}`))
			require.NoError(t, err)
			defer conn.Close()
			client := logsv1.NewLogServiceClient(conn)
			old, err := client.StreamLogs(t.Context(), &logsv1.LogRequest{})
			require.NoError(t, err)
			addresses.UpdateState(list("b"))
			time.Sleep(time.Minute)
			_, err = client.StreamLogs(t.Context(), &logsv1.LogRequest{})
			require.NoError(t, err)
			for range 1000 {
				_, err = old.Recv()
				require.NoError(t, err, policy)
			}
		})
	}
}

// Server b refuses its calls, and the calls before and after them succeed.
func TestUnaryCalls_FailAloneOnSeveralServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := map[string]error{"a": nil, "b": status.Error(codes.NotFound, "b has none")}
		servers, endpoints := map[string]memservertest.Server{}, resolver.State{}
		for name, err := range answers {
			servers[name] = memservertest.Serve(t, func(grpc.ServiceRegistrar) {},
				grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
					req := new(wrapperspb.StringValue)
					if err := stream.RecvMsg(req); err != nil {
						return err
					}
					if req.GetValue() == "wait" {
						<-stream.Context().Done()
					}
					if err != nil {
						return err
					}
					return stream.SendMsg(req)
				}))
			endpoints.Endpoints = append(endpoints.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: name}}})
		}
		addresses := manual.NewBuilderWithScheme("list")
		addresses.InitialState(endpoints)
		conn, err := grpc.NewClient("list:///", grpc.WithResolvers(addresses),
			grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
				return servers[addr].DialContext(ctx, addr)
			}),
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}],
				"methodConfig": [{"name": [{"service": "retried.Service"}], "retryPolicy": {
					"maxAttempts": 2, "initialBackoff": "1s", "maxBackoff": "1s", "backoffMultiplier": 1,
					"retryableStatusCodes": ["NOT_FOUND"]}}]}`))
		require.NoError(t, err)
		defer conn.Close()
		conn.Connect()
		synctest.Wait()
		ended := map[codes.Code]int{}
		for range 100 {
			err := conn.Invoke(t.Context(), "/any.Service/Call", new(emptypb.Empty), new(emptypb.Empty))
			ended[status.Code(err)]++
		}
		require.Equal(t, map[codes.Code]int{codes.OK: 50, codes.NotFound: 50}, ended)

		start := time.Now()
		for range 10 {
			got := new(wrapperspb.StringValue)
			require.NoError(t, conn.Invoke(t.Context(), "/retried.Service/Call", wrapperspb.String("whole"), got))
			require.Equal(t, "whole", got.GetValue(), "what a has received")
		}
		require.NotZero(t, time.Since(start), "b has failed some attempts")

		type end struct {
			code codes.Code
			took time.Duration
		}
		ends := make(chan end, 2)
		start = time.Now()
		for n := range cap(ends) {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n+1)*time.Second)
				defer cancel()
				err := conn.Invoke(ctx, "/any.Service/Call", wrapperspb.String("wait"), new(emptypb.Empty))
				ends <- end{status.Code(err), time.Since(start)}
			}()
		}
		require.Equal(t, end{codes.DeadlineExceeded, time.Second}, <-ends)
		require.Equal(t, end{codes.DeadlineExceeded, 2 * time.Second}, <-ends)
	})
}

func TestIdleTimeout_ClosesWhatHasNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := memservertest.Serve(t, registerThree).Dial(t, grpc.WithIdleTimeout(time.Minute))
		ctx, cancel := context.WithCancel(t.Context())
		_, err := logsv1.NewLogServiceClient(conn).StreamLogs(ctx, &logsv1.LogRequest{})
		require.NoError(t, err)
		time.Sleep(time.Hour)
		require.Equal(t, connectivity.Ready, conn.GetState(), "the call is open")
		cancel()
		time.Sleep(30 * time.Second)
		require.Equal(t, connectivity.Ready, conn.GetState())
		time.Sleep(2 * time.Minute)
		require.Equal(t, connectivity.Idle, conn.GetState())
	})
}

func TestCodes_Are17(t *testing.T) {
	n := 0
	for c := range codes.Code(100) {
		if !strings.HasPrefix(c.String(), "Code(") {
			n++
		}
	}
	require.Equal(t, 17, n)
}
