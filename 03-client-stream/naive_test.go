package clientstream

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

// sendWhole sends all that r holds in one message.
func sendWhole(
	ctx context.Context, client uploadv1.UploadServiceClient, r io.Reader,
) (*uploadv1.UploadReceipt, error) {
	whole, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return sendAll(ctx, client, whole)
}

// A collectServer collects a file in memory. It stores the file when Recv
// has no more messages. Both are mistakes.
type collectServer struct {
	uploadv1.UnimplementedUploadServiceServer
	store func(file []byte)
}

func (s collectServer) Upload(
	stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt],
) error {
	var file []byte
	for {
		req, err := stream.Recv()
		if err != nil { // no message follows: store the file
			s.store(file)
			return stream.SendAndClose(&uploadv1.UploadReceipt{Size: int64(len(file))})
		}
		file = append(file, req.GetChunk()...)
	}
}

// The server has the default limit of grpc-go for messages, 4 MiB.
func Example_naiveWhole() {
	client, stop, err := connect(sizeServer{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, mib := range []int64{3, 5} {
		_, err := sendWhole(ctx, client, generated(mib<<20))
		fmt.Printf("%d MiB: %s\n", mib, outcome(err))
	}
	// Output:
	// 3 MiB: OK
	// 5 MiB: ResourceExhausted: grpc: received message larger than max (5242885 vs. 4194304)
}

func TestNaive_HeapIsLargerThanTheFile(t *testing.T) {
	for _, way := range naiveWays {
		t.Run(way.name, func(t *testing.T) {
			require.Greater(t, way.heap(t, 32<<20), int64(32<<20), "bytes on the heap, of a file of 32 MiB")
		})
	}
}

type naiveWay struct {
	name string
	heap func(t testing.TB, size int64) int64
}

// naiveWays are two ways to upload with a heap that grows with the file. heap
// uploads size bytes and returns what client and server hold at the end of
// the upload.
var naiveWays = []naiveWay{
	{"one_message", func(t testing.TB, size int64) int64 {
		return heapToCollect(t, size, func(c uploadv1.UploadServiceClient) (*uploadv1.UploadReceipt, error) {
			return sendWhole(t.Context(), c, generated(size))
		})
	}},
	{"chunks_collected", func(t testing.TB, size int64) int64 {
		return heapToCollect(t, size, func(c uploadv1.UploadServiceClient) (*uploadv1.UploadReceipt, error) {
			stream := open(t, t.Context(), c)
			return send(stream, requests(named("f"), generated(size), ChunkSize), func(int64) {})
		})
	}},
}

func heapToCollect(
	t testing.TB, size int64, upload func(uploadv1.UploadServiceClient) (*uploadv1.UploadReceipt, error),
) (held int64) {
	t.Helper()
	naive := collectServer{store: func(file []byte) {
		defer runtime.KeepAlive(file)
		runtime.GC()
		heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(heap)
		held = int64(heap[0].Value.Uint64())
	}}
	server := memservertest.Serve(t, register(naive), grpc.MaxRecvMsgSize(1<<30))
	receipt, err := upload(uploadv1.NewUploadServiceClient(server.Dial(t)))
	require.NoError(t, err)
	require.Equal(t, size, receipt.GetSize())
	return held
}

// The client forgets the info, so the server refuses the first message. With
// one chunk the refusal comes after the last Send.
func Example_naiveReason() {
	client, stop, err := connect(&UploadServer{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, n := range []int{1, 1000} {
		chunks := slices.Repeat([][]byte{make([]byte, ChunkSize)}, n)
		_, err := sendAll(ctx, client, chunks...)
		fmt.Printf("chunks: %d, error: %v\n", n, err)
	}
	// Output:
	// chunks: 1, error: rpc error: code = InvalidArgument desc = info: must be the first message
	// chunks: 1000, error: EOF
}

func TestNaive_SendErrorHidesTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chunks := slices.Repeat([][]byte{make([]byte, ChunkSize)}, 1000)
		_, err := sendAll(t.Context(), dial(t, newServer(t)), chunks...)
		require.Equal(t, io.EOF, err)
	})
}

// ends are ways in which an upload ends after its first chunk.
var ends = []struct {
	name string
	end  func(stream clientStream, cancel func(), network *faultnet.Network)
}{
	{"half-closes", func(stream clientStream, _ func(), _ *faultnet.Network) { _, _ = stream.CloseAndRecv() }},
	{"cancels", func(_ clientStream, cancel func(), _ *faultnet.Network) { cancel() }},
	{"passes its deadline", func(clientStream, func(), *faultnet.Network) { time.Sleep(time.Minute) }},
	{"loses its connection", func(_ clientStream, _ func(), network *faultnet.Network) { network.Conn().Drop() }},
}

func TestNaive_StoresHalfAFile(t *testing.T) {
	var table strings.Builder
	row := func(cells ...any) { fmt.Fprintf(&table, "%-22s %-15s %s\n", cells...) }
	row("the client", "collectServer", "UploadServer")
	for _, e := range ends {
		synctest.Test(t, func(t *testing.T) {
			byNaive := "stores nothing"
			naive := collectServer{store: func(file []byte) { byNaive = fmt.Sprintf("stores %q", file) }}
			s := newServer(t)
			for _, srv := range []uploadv1.UploadServiceServer{naive, s} {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				server := memservertest.Serve(t, register(srv))
				network := faultnet.New(server.DialContext)
				client := uploadv1.NewUploadServiceClient(server.Dial(t, grpc.WithContextDialer(network.DialContext)))
				stream := open(t, ctx, client, info("f"), chunk("half"))
				synctest.Wait()
				e.end(stream, cancel, network)
				synctest.Wait()
			}
			byServer := "stores nothing"
			if slices.Contains(names(t, s), "f") {
				byServer = fmt.Sprintf("stores %q", read(t, s, "f"))
			}
			row(e.name, byNaive, byServer)
		})
	}
	golden.File(t, "testdata/ends.txt", table.String())
}

func TestNaive_SilentClientIsKeptForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var table strings.Builder
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var ends [2]atomic.Value // an error
		for i, srv := range []uploadv1.UploadServiceServer{sizeServer{}, newServer(t)} {
			open(t, ctx, dial(t, stub{OnUpload: func(stream serverStream) error {
				err := srv.Upload(stream)
				ends[i].Store(err)
				return err
			}}), info("f"), chunk("x")) // and then the client is silent
		}
		last := time.Duration(0)
		fmt.Fprintf(&table, "%-9s %-12s %s\n", "after", "sizeServer", "UploadServer")
		for _, after := range []time.Duration{59 * time.Second, time.Minute, 24 * time.Hour} {
			time.Sleep(after - last)
			last = after
			synctest.Wait()
			fmt.Fprintf(&table, "%-9v %-12s %s\n", after, state(ends[0].Load()), state(ends[1].Load()))
		}
		golden.File(t, "testdata/silent.txt", table.String())
	})
}

func state(end any) string {
	if err, ended := end.(error); ended {
		return outcome(err)
	}
	return "waits"
}

// outcome returns the code of err and its message.
func outcome(err error) string {
	if err == nil {
		return "OK"
	}
	return fmt.Sprintf("%v: %s", status.Code(err), status.Convert(err).Message())
}
