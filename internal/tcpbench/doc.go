// Package tcpbench tests what grpc-go and the operating system do with a TCP
// connection. Most other tests of this repository connect client and server
// in memory, where there is no socket, no TCP keepalive and no
// retransmission. The tests write the tables of docs/tcp.md.
package tcpbench
