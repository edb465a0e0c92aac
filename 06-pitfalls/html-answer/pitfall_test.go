package htmlanswer

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

var request = &pitfallsv1.CountRequest{To: 3}

func TestBroken_GivesUpDuringADeployment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := BrokenCount(t.Context(), deploying(t, http.StatusNotFound), request)
		require.EqualError(t, err, "rpc error: code = Unimplemented desc = unexpected HTTP status code received from server: "+
			"404 (Not Found); transport: received unexpected content-type \"text/html\"\ndata: \"<h1>Not Found</h1>\"")
	})
}

func TestFixed_WaitsUntilTheServerIsBack(t *testing.T) {
	for _, code := range []int{200, 400, 404, 500, 502, 503, 504} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := deploying(t, code)
				start := time.Now()
				values, err := FixedCount(t.Context(), client, request)
				require.NoError(t, err)
				require.Equal(t, []int64{1, 2, 3}, values)
				require.Equal(t, 31*time.Second, time.Since(start), "the first call after 30 s")
			})
		})
	}
}

func TestBoth_WaitWhileTheCodeIsUnavailable(t *testing.T) {
	for _, count := range both {
		synctest.Test(t, func(t *testing.T) {
			values, err := count(t.Context(), deploying(t, http.StatusServiceUnavailable), request)
			require.NoError(t, err)
			require.Equal(t, []int64{1, 2, 3}, values)
		})
	}
}

func TestStatus_IsMadeFromThePage(t *testing.T) {
	for page, want := range map[int]codes.Code{
		200: codes.Unknown, 400: codes.Internal, 404: codes.Unimplemented, 500: codes.Unknown,
		502: codes.Unavailable, 503: codes.Unavailable, 504: codes.Unavailable,
	} {
		synctest.Test(t, func(t *testing.T) {
			_, _, err := call(t.Context(), deploying(t, page), request)
			require.Equal(t, want.String(), status.Code(err).String(), "HTTP status %d, got %v", page, err)
		})
	}
}

// The same codes from the server itself, with and without a message before,
// are final.
func TestBoth_TakeTheServersAnswer(t *testing.T) {
	for _, code := range []codes.Code{codes.Unimplemented, codes.Unknown, codes.Internal} {
		t.Run(code.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				own := status.Error(code, "the server's own")
				refuses := &service.Server{OnCount: func(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number]) error {
					return own
				}}
				for _, s := range []*service.Server{refuses, pitfalltest.Ends(own)} {
					for _, count := range both {
						_, err := count(pitfalltest.WithTimeout(t, time.Minute), pitfalltest.Dial(t, s), request)
						require.EqualError(t, err, own.Error())
					}
				}
			})
		})
	}
}

// No call has begun, so that there is no stream to ask.
func TestBoth_TakeAnErrorOfTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := status.Error(codes.Internal, "no token")
		client := pitfalltest.Dial(t, &service.Server{}, grpc.WithStreamInterceptor(func(
			context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, grpc.Streamer, ...grpc.CallOption,
		) (grpc.ClientStream, error) {
			return nil, own
		}))
		for _, count := range both {
			_, err := count(t.Context(), client, request)
			require.EqualError(t, err, own.Error())
		}
	})
}

// A page that asks for a login, or forbids, does not change by waiting.
func TestBoth_TakeARefusalOfTheProxy(t *testing.T) {
	for http, want := range map[int]codes.Code{401: codes.Unauthenticated, 403: codes.PermissionDenied} {
		synctest.Test(t, func(t *testing.T) {
			for _, count := range both {
				_, err := count(pitfalltest.WithTimeout(t, time.Minute), deploying(t, http), request)
				require.Equal(t, want.String(), status.Code(err).String(), "got %v", err)
			}
		})
	}
}

var both = []func(context.Context, pitfallsv1.PitfallServiceClient, *pitfallsv1.CountRequest) ([]int64, error){BrokenCount, FixedCount}

// deploying returns a client of a proxy that has no server in the first
// 30.5 s. Until then, it answers with code and a page.
func deploying(t *testing.T, code int) pitfallsv1.PitfallServiceClient {
	g := grpc.NewServer()
	new(service.Server).Register(g)
	ready := time.Now().Add(30500 * time.Millisecond)
	proxy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if time.Now().After(ready) {
			g.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "<h1>"+http.StatusText(code)+"</h1>")
	})
	return pitfallsv1.NewPitfallServiceClient(memservertest.ServeHTTP(t, &http.Server{Handler: proxy}).Dial(t))
}
