package clientstream

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // the codec that gRPC uses by default
	"google.golang.org/grpc/mem"
)

// The buffer pool of grpc-go has buffers of 32 KiB and of 1 MiB, and none
// between. A message is a chunk and a few bytes that describe it.
func TestChunk_Of32KiBTakesBufferOfOneMiB(t *testing.T) {
	for chunk, want := range map[int]int{
		16 << 10:    32 << 10,
		32<<10 - 16: 32 << 10,
		32 << 10:    1 << 20,
		256 << 10:   1 << 20,
	} {
		sent, err := encoding.GetCodecV2("proto").Marshal(chunkRequest(make([]byte, chunk)))
		require.NoError(t, err)
		require.Equal(t, want, cap(sent[0].ReadOnlyData()), "to send %d bytes", chunk)

		// As the receiver does with a message that came in several frames.
		frames := mem.BufferSlice{mem.SliceBuffer(sent[0].ReadOnlyData()[:1]), mem.SliceBuffer(sent[0].ReadOnlyData()[1:])}
		received := frames.MaterializeToBuffer(mem.DefaultBufferPool())
		require.Equal(t, want, cap(received.ReadOnlyData()), "to receive %d bytes", chunk)
		received.Free()
		sent.Free()
	}
}

// So each chunk of 32 KiB costs the time to clear 1 MiB, on both sides.
func TestPool_ClearsTheWholeBuffer(t *testing.T) {
	pool := mem.DefaultBufferPool()
	for range 100 { // under -race, the pool drops some buffers
		buf := pool.Get(32<<10 + 1)
		whole := (*buf)[:cap(*buf)]
		require.Zero(t, whole[len(whole)-1])
		whole[len(whole)-1] = 1
		pool.Put(buf)
	}
}

var chunkSizeRow = regexp.MustCompile(`(?m)^BenchmarkChunkSize/(\S+)-2 .*\s([\d.]+) cpu/4KiB$`)

// What the lesson says about the runs of BenchmarkChunkSize.
func TestBench_32KiBCostsMostInFiveOfSixRuns(t *testing.T) {
	file, err := os.ReadFile("testdata/bench.txt")
	require.NoError(t, err)
	const runs = 6
	cpu := map[string][]float64{} // by size, a value for each run
	for _, row := range chunkSizeRow.FindAllStringSubmatch(string(file), -1) {
		value, err := strconv.ParseFloat(row[2], 64)
		require.NoError(t, err)
		cpu[row[1]] = append(cpu[row[1]], value)
	}
	most := 0
	for run := range runs {
		others := 0.0
		for size, values := range cpu {
			require.Len(t, values, runs, size)
			if size != "32KiB" {
				others = max(others, values[run])
			}
		}
		if cpu["32KiB"][run] > others {
			most++
		}
	}
	require.Equal(t, 5, most, "runs in which 32 KiB cost most")

	// From 128 to 512 KiB, the runs of a size differ more than the medians of
	// the sizes.
	var medians, spreads []float64
	for _, size := range []string{"128KiB", "256KiB", "512KiB"} {
		values := slices.Sorted(slices.Values(cpu[size]))
		medians = append(medians, (values[runs/2-1]+values[runs/2])/2)
		spreads = append(spreads, values[runs-1]-values[0])
	}
	require.Greater(t, slices.Min(spreads), slices.Max(medians)-slices.Min(medians))
}
