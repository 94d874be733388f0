# pcap-backend: the userspace data plane
PCAP_BACKEND_SRCS := \
	pcap-backend/counters.c \
	pcap-backend/dp.c \
	pcap-backend/esp_rx.c \
	pcap-backend/esp_tx.c \
	pcap-backend/iphdr.c \
	pcap-backend/keysfile.c \
	pcap-backend/mactab.c \
	pcap-backend/main.c \
	pcap-backend/offline.c \
	pcap-backend/offline_main.c \
	pcap-backend/ops.c \
	pcap-backend/options.c \
	pcap-backend/port.c \
	pcap-backend/replay.c \
	pcap-backend/sad.c \
	pcap-backend/spd.c \
	pcap-backend/tenant.c \
	pcap-backend/vtep.c \
	pcap-backend/vxlan.c \
	pcap-backend/wire.c
PCAP_BACKEND_SRCS_LINUX := pcap-backend/ports_linux.c
PCAP_BACKEND_SRCS_PORTABLE := pcap-backend/ports_portable.c
