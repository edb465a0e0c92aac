// Package sharedlog serves the log of chapter 02 from several servers. The
// entries are in an engine, NATS JetStream. Each server holds a copy of them,
// and a client may follow the log at any server.
package sharedlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/types/known/timestamppb"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

const (
	// heartbeat is how often the engine says that it has nothing new. It is
	// the shortest interval that nats.go accepts. After two of them without
	// a word, the reader must subscribe again.
	heartbeat = 500 * time.Millisecond

	// requestTimeout is how long one request to the engine may take.
	requestTimeout = 2 * time.Second

	// retryDelay is the pause before a request is repeated.
	retryDelay = 100 * time.Millisecond

	// The engine remembers the ids of entries for idWindow. An attempt of
	// Append must not begin later than appendTimeout after the first one,
	// because its repetition could become a second entry.
	idWindow      = 2 * time.Minute
	appendTimeout = idWindow - 10*time.Second

	// maxMessage is the limit of a message in bytes. Ingest of chapter 02
	// makes none that is longer.
	maxMessage = 2 * logs.MaxLine

	maxID        = 256       // the limit of an entry's id in bytes
	maxRetention = 1_000_000 // each replica has a pointer for each entry

	partialHeader = "Partial" // is "true" for an entry that is partial
)

// Config says how the engine keeps a log. Whoever opens the log first
// creates it so.
type Config struct {
	Name      string // without white space and . * > / \; default: "log"
	Nodes     int    // how many nodes of the engine keep the log: 1, 3 or 5; default: 1
	Retention int    // how many entries the engine holds, with at most 64 MiB: 1 to 1,000,000; default: 10,000
}

// A Log is a log in the engine. Create a Log with [NewLog]. Methods may be
// called concurrently.
type Log struct {
	js   jetstream.JetStream
	conf Config
}

// NewLog returns the log that conf describes. It does not wait for the
// engine. The caller closes the connection when the log is no longer used.
func NewLog(nc *nats.Conn, conf Config) (*Log, error) {
	conf.Name = cmp.Or(conf.Name, "log")
	conf.Nodes = cmp.Or(conf.Nodes, 1)
	conf.Retention = cmp.Or(conf.Retention, 10_000)
	switch {
	case strings.ContainsAny(conf.Name, ".*>/\\ \t\r\n"):
		return nil, fmt.Errorf("name: must not have white space or . * > / \\, got %q", conf.Name)
	case conf.Nodes != 1 && conf.Nodes != 3 && conf.Nodes != 5:
		return nil, fmt.Errorf("nodes: must be 1, 3 or 5, got %d", conf.Nodes)
	}
	if err := checkRetention(int64(conf.Retention)); err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc)
	return &Log{js: js, conf: conf}, err
}

func checkRetention(n int64) error {
	if n < 1 || n > maxRetention {
		return fmt.Errorf("retention: must be from 1 to %d, got %d", maxRetention, n)
	}
	return nil
}

// Append adds an entry and returns its sequence. If the engine does not
// confirm the entry, Append repeats the attempt with the same id, until ctx
// ends, and for at most 110 s. The engine stores an id only once within 2
// minutes, while it holds the entry, so a repeated attempt is not a second
// entry.
//
// The id has 1 to 256 bytes, and no other entry may have it. The message has
// at most 32 KiB. If Append fails after an attempt, the log may have the
// entry, or not.
func (l *Log) Append(ctx context.Context, id, message string, partial bool) (uint64, error) {
	switch {
	case id == "" || len(id) > maxID:
		return 0, fmt.Errorf("id: must have 1 to %d bytes, got %d", maxID, len(id))
	case len(message) > maxMessage:
		return 0, fmt.Errorf("message: must be at most %d bytes, got %d", maxMessage, len(message))
	}
	msg := nats.NewMsg(l.conf.Name)
	msg.Data = []byte(message)
	if partial {
		msg.Header.Set(partialHeader, "true")
	}
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	for {
		sequence, err := l.try(ctx, id, msg)
		if err == nil {
			return sequence, nil
		}
		if !sleep(ctx, retryDelay) {
			return 0, fmt.Errorf("append %s: %w; the last attempt: %w", id, ctx.Err(), err)
		}
	}
}

// try is one attempt of Append.
func (l *Log) try(ctx context.Context, id string, msg *nats.Msg) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	ack, err := l.js.PublishMsg(ctx, msg, jetstream.WithMsgID(id))
	if err != nil {
		return 0, explain(err)
	}
	return ack.Sequence, nil
}

// A state is what the engine says of a log.
type state struct {
	id             string // the same at all nodes, and after a restart
	retention      int
	oldest, newest uint64 // of the entries that the engine holds
}

// Open returns when the log exists, or an error when ctx ends. It creates the
// log if there is none.
func (l *Log) Open(ctx context.Context) error {
	for {
		_, _, err := l.open(ctx)
		if err == nil {
			return nil
		}
		if !sleep(ctx, retryDelay) {
			return fmt.Errorf("open the log: %w; the last attempt: %w", ctx.Err(), err)
		}
	}
}

func (l *Log) open(ctx context.Context) (jetstream.Stream, state, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	stream, err := l.js.Stream(ctx, l.conf.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = l.js.CreateStream(ctx, jetstream.StreamConfig{
			Name: l.conf.Name, Subjects: []string{l.conf.Name},
			Replicas:   l.conf.Nodes,
			MaxMsgs:    int64(l.conf.Retention),
			MaxBytes:   logs.MaxLogBytes,
			MaxMsgSize: 2 * maxMessage, // with its headers
			Duplicates: idWindow,
			DenyDelete: true, DenyPurge: true, // nothing leaves a gap
		})
	}
	if err != nil {
		return nil, state{}, explain(err)
	}
	info := stream.CachedInfo()
	if err := checkRetention(info.Config.MaxMsgs); err != nil {
		return nil, state{}, fmt.Errorf("somebody else has created the log: %w", err)
	}
	if info.Cluster != nil && info.Cluster.Leader == "" {
		// The answer of a node that has lost the others. It may be old.
		return nil, state{}, errors.New("the log has no leader")
	}
	return stream, state{
		id:        strconv.FormatInt(info.Created.UnixNano(), 16),
		retention: int(info.Config.MaxMsgs),
		oldest:    max(1, info.State.FirstSeq),
		newest:    info.State.LastSeq,
	}, nil
}

// Delete removes the log from the engine.
func (l *Log) Delete(ctx context.Context) error {
	return explain(l.js.DeleteStream(ctx, l.conf.Name))
}

// explain replaces what nats.go says while it has no connection, because
// [Connect] lets it buffer nothing.
func explain(err error) error {
	if errors.Is(err, nats.ErrReconnectBufExceeded) {
		return errors.New("no connection to the engine")
	}
	return err
}

// Leader returns the name of the node that leads the log. It returns an error
// unless there are several nodes, and all that keep the log are up to date.
func (l *Log) Leader(ctx context.Context) (string, error) {
	stream, _, err := l.open(ctx)
	if err != nil {
		return "", err
	}
	cluster := stream.CachedInfo().Cluster
	if cluster == nil {
		return "", errors.New("the engine has only one node")
	}
	for _, node := range cluster.Replicas {
		if !node.Current || node.Offline {
			return "", fmt.Errorf("node %s is not up to date", node.Name)
		}
	}
	return cluster.Leader, nil
}

// subscribe asks the engine for the entries after a sequence, and for those
// to come. Their first one is later if the engine no longer holds the next
// one. The caller calls Stop.
func subscribe(ctx context.Context, stream jetstream.Stream, after uint64) (jetstream.MessagesContext, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	consumer, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1,
		AckPolicy: jetstream.AckNonePolicy,
		Replicas:  1, MemoryStorage: true, // if its node fails, subscribe again
		InactiveThreshold: 20 * heartbeat, // when the engine forgets it
	})
	if err != nil {
		return nil, err
	}
	return consumer.Messages(jetstream.PullHeartbeat(heartbeat), jetstream.PullExpiry(10*heartbeat))
}

// entry returns the entry that a message of the engine holds.
func entry(m jetstream.Msg) (*logsv1.LogEntry, error) {
	meta, err := m.Metadata()
	if err != nil {
		return nil, err
	}
	return &logsv1.LogEntry{
		Sequence:  meta.Sequence.Stream,
		Timestamp: timestamppb.New(meta.Timestamp),
		Message:   strings.ToValidUTF8(string(m.Data()), "\uFFFD"),
		Partial:   m.Headers().Get(partialHeader) == "true",
	}, nil
}

// sleep returns true after a time, or false when ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
