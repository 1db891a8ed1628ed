#!/usr/bin/env python3
"""Deletes the first records of every partition of a topic, as retention does.

usage: truncate.py TOPIC COUNT
"""
import sys

import confluent_kafka
import confluent_kafka.admin

import lib_kafka

admin = confluent_kafka.admin.AdminClient(lib_kafka.settings())
name = lib_kafka.topic_name(sys.argv[1])
partitions = admin.list_topics(name, lib_kafka.PATIENCE_SECONDS).topics[name].partitions
for future in admin.delete_records(
        [confluent_kafka.TopicPartition(name, partition, int(sys.argv[2])) for partition in partitions]).values():
    future.result(lib_kafka.PATIENCE_SECONDS)
