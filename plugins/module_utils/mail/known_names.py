# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Names by which mail programs and servers call their special folders: data, nothing else.

A server that has SPECIAL-USE (RFC 6154) says itself what a folder is for; these names are for those that don't.
"""

from __future__ import annotations

from collections.abc import Mapping

#: What each use is called; the first one is how the cloud names it. Compared without regard to case.
SPECIAL: Mapping[bytes, tuple[str, ...]] = {
    b"\\sent": (
        "Sent", "Sent Items", "Sent Messages", "Sent Mail", "Sent-Mail", "Gesendet", "Gesendete Elemente",
        "Gesendete Objekte", "Éléments envoyés", "Messages envoyés", "Envoyés", "Enviados", "Elementos enviados",
        "Mensajes enviados", "Itens enviados", "Posta inviata", "Inviati", "Verzonden", "Verzonden items", "Skickat",
        "Sendt", "Sendte elementer", "Lähetetyt", "Wysłane", "Odeslané", "Elküldött", "Отправленные", "Отправленное",
        "已发送", "已傳送", "送信済み", "送信済みアイテム", "보낸 편지함",
    ),
    b"\\drafts": (
        "Drafts", "Draft", "Entwürfe", "Brouillons", "Borradores", "Rascunhos", "Bozze", "Concepten", "Utkast",
        "Kladder", "Luonnokset", "Wersje robocze", "Koncepty", "Piszkozatok", "Черновики", "草稿", "下書き",
        "임시 보관함",
    ),
    b"\\trash": (
        "Trash", "Deleted Items", "Deleted Messages", "Deleted", "Bin", "Papierkorb", "Gelöschte Elemente",
        "Gelöschte Objekte", "Corbeille", "Éléments supprimés", "Papelera", "Elementos eliminados", "Lixeira",
        "Cestino", "Posta eliminata", "Prullenbak", "Verwijderde items", "Papperskorg", "Slettet", "Roskakori", "Kosz",
        "Koš", "Kuka", "Корзина", "Удаленные", "已删除", "已刪除", "ゴミ箱", "削除済みアイテム", "휴지통",
    ),
    b"\\junk": (
        "Junk", "Spam", "Junk E-mail", "Junk Email", "Junk Mail", "Bulk Mail", "Junk-E-Mail", "Unerwünscht",
        "Courrier indésirable", "Indésirables", "Correo no deseado", "Lixo eletrônico", "Posta indesiderata",
        "Ongewenste e-mail", "Skräppost", "Søppelpost", "Roskaposti", "Niechciane", "Nevyžádaná pošta", "Levélszemét",
        "Спам", "垃圾邮件", "垃圾郵件", "迷惑メール", "스팸",
    ),
    b"\\archive": (
        "Archive", "Archives", "Archiv", "Archivo", "Arquivo", "Archivio", "Archief", "Arkiv", "Arkisto", "Archiwum",
        "Архив", "存档", "封存", "アーカイブ", "보관함",
    ),
}  # fmt: skip

#: Folders that groupware servers show over IMAP although no mail is in them. Compared without regard to case.
NOT_MAIL = frozenset(
    {
        "calendar", "calendars", "kalender", "calendrier", "calendario", "calendário", "agenda", "kalendarz",
        "календарь", "contacts", "contact", "suggested contacts", "kontakte", "contactos", "contatos", "contatti",
        "contactpersonen", "kontakter", "kontakty", "контакты", "address book", "addressbook", "notes", "notizen",
        "notas", "note", "notities", "anteckningar", "заметки", "tasks", "task", "aufgaben", "tâches", "tareas",
        "tarefas", "attività", "taken", "uppgifter", "zadania", "задачи", "journal", "rss feeds", "rss-feeds",
        "sync issues", "synchronisierungsprobleme", "conversation history", "freebusy", "files", "configuration",
    }
)  # fmt: skip
