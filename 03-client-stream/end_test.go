package clientstream

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/bufnet"
	"example.com/streams/internal/serve"
)

// inTheMiddle returns a file that never ends, and calls act once the
// server has its first two chunks.
func inTheMiddle(t *testing.T, s *UploadServer, act func()) io.Reader {
	reads := 0
	return paced{endless{}, func() {
		if reads++; reads == 3 {
			synctest.Wait()
			require.Equal(t, int64(2*ChunkSize), partialSize(t, s))
			act()
		}
	}}
}

func TestAnUploadThatIsCancelledLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Upload(ctx, dial(t, s), named("f"), inTheMiddle(t, s, cancel), nil)
		require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
		synctest.Wait()
		require.Empty(t, names(t, s))
	})
}

func TestADeadlineIsNoticedBetweenTwoReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		slow := paced{endless{}, func() { time.Sleep(3 * time.Second) }}
		_, err := Upload(ctx, dial(t, s), named("f"), slow, nil)
		require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
		require.Equal(t, 12*time.Second, time.Since(start))
		synctest.Wait()
		require.Empty(t, names(t, s))
	})
}

func TestAServerThatStopsInTheMiddleLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		server := bufnet.Serve(t, register(s))
		client := uploadv1.NewUploadServiceClient(server.Dial(t))
		_, err := Upload(t.Context(), client, named("f"), inTheMiddle(t, s, server.Stop), nil)
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.Empty(t, names(t, s))
	})
}

func TestAConnectionThatBreaksInTheMiddleLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		server := bufnet.Serve(t, register(s))
		var broken net.Conn
		dialer := grpc.WithContextDialer(func(ctx context.Context, addr string) (c net.Conn, err error) {
			broken, err = server.DialContext(ctx, addr)
			return broken, err
		})
		client := uploadv1.NewUploadServiceClient(server.Dial(t, dialer))
		r := inTheMiddle(t, s, func() { require.NoError(t, broken.Close()) })
		_, err := Upload(t.Context(), client, named("f"), r, nil)
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		synctest.Wait()
		require.Empty(t, names(t, s))
	})
}

// An upload needs no word to finish: it ends by itself, or is cut.
func TestAServerThatDrainsWaitsForUploads(t *testing.T) {
	for _, tt := range []struct {
		name  string
		needs time.Duration
		code  codes.Code
		left  []string
	}{
		{"an upload that ends in time is stored", 4 * time.Second, codes.OK, []string{"f"}},
		{"an upload that does not is cut", 6 * time.Second, codes.Unavailable, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				client, stop, stopped := draining(t, s, 5*time.Second)
				reads := 0
				r := paced{generated(2 * ChunkSize), func() {
					if reads++; reads == 2 {
						synctest.Wait()
						stop()
						time.Sleep(tt.needs)
					}
				}}
				_, err := Upload(t.Context(), client, named("f"), r, nil)
				require.Equal(t, tt.code, status.Code(err), "got %v", err)
				require.NoError(t, <-stopped)
				require.Equal(t, tt.left, names(t, s))
			})
		})
	}
}

// draining serves as cmd/server does, until stop is called.
func draining(
	t *testing.T, s *UploadServer, drain time.Duration,
) (client uploadv1.UploadServiceClient, stop func(), stopped <-chan error) {
	t.Helper()
	server := serve.New()
	server.Drain = drain
	register(s)(server)
	listener := bufconn.Listen(64 << 10)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.ServeUntil(ctx, listener) }()
	conn, err := grpc.NewClient("passthrough:///draining",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return listener.DialContext(ctx)
		}))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return uploadv1.NewUploadServiceClient(conn), stop, ended
}
